import { ColumnGenerator, lastDelayedColumns, Sampler } from "@higgs-worker/higgs-audio/parts";
import { expect, it } from "vitest";
import { NativeColumnRules } from "./column-rules.ts";
import { scriptedLogits, smallCodebooks, uniformsOf } from "@higgs-worker/higgs-audio/testing";

// Two codebooks of codes 0 … 9, BOS 10, EOS 11.
const CONFIG = smallCodebooks(2);
const EOS = 11;

it("BOS and EOS in the window do not count as repeats for the native rules", () => {
  // Codebook 0 of the clip's four columns is BOS, 1, EOS, EOS; boson's rules would redraw the third EOS.
  const columnsBefore = lastDelayedColumns([[[1], [1]]], 7, CONFIG);
  let redraws = 0;
  const generator = new ColumnGenerator(CONFIG, {
    rules: new NativeColumnRules(CONFIG),
    sampling: { temperature: 0, topK: 1, topP: 0.5, rasWinLen: 7, rasWinMaxNumRepeat: 2 },
    maxColumns: 3,
    sampler: new Sampler(CONFIG.idsPerCodebook),
    uniforms: uniformsOf(
      () => 0.5,
      () => {
        redraws += 1;
        return 0;
      },
    ),
    columnsBefore,
  });
  generator.step(scriptedLogits(CONFIG, [EOS, 0], [4, 0]));
  generator.step(scriptedLogits(CONFIG, [6, 1], [7, 1]));
  expect([...generator.columns()]).toEqual([10, 10, EOS, 10, EOS, 1]);
  expect(redraws).toBe(0);
});
