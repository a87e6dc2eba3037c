import { describe, expect, it } from "vitest";
import { ColumnGenerator } from "./column-generator.ts";
import { applyDelayPattern, lastDelayedColumns } from "./delay-pattern.ts";
import { Sampler } from "./sampling/sampler.ts";
import { scriptedLogits, smallCodebooks, uniformsOf } from "./testing/scripted-logits.ts";

// Two codebooks of codes 0 … 9, BOS 10, EOS 11.
const CONFIG = smallCodebooks(2);
const EOS = 11;

interface Script {
  readonly win?: number;
  readonly max?: number;
  /** Codes of the clips before, `clips[clip][codebook][frame]`. */
  readonly clips?: readonly (readonly number[][])[];
  /** Number of every redraw; the default lands on the second largest logit. */
  readonly redraw?: number;
  readonly temperature?: number;
}

/** Feeds columns of [largest, second largest] logits of codebook 0; codebook 1 never repeats. */
function run(picks: readonly (readonly [number, number])[], script: Script = {}) {
  const { win = 7, max = 2, clips = [], redraw = 1 - 1e-16, temperature = 0 } = script;
  const redrawn: number[] = [];
  const generator = new ColumnGenerator(CONFIG, {
    sampling: { temperature, topK: 1, topP: 0.5, rasWinLen: win, rasWinMaxNumRepeat: max },
    maxColumns: picks.length + 1,
    sampler: new Sampler(CONFIG.idsPerCodebook),
    uniforms: uniformsOf(
      () => 0.5,
      (column, codebook) => {
        if (codebook === 0) redrawn.push(column);
        return redraw;
      },
    ),
    columnsBefore: lastDelayedColumns(clips, win, CONFIG),
  });
  for (const [column, [pick, second]] of picks.entries()) {
    if (generator.finished !== null) break;
    generator.step(scriptedLogits(CONFIG, [pick, column % 10], [second, column % 10]));
  }
  const ids = [...generator.columns()].filter((_, index) => index % 2 === 0).slice(1);
  return { ids, redrawn };
}

/** `count` columns that want id 5 and have id 9 next; 9 is the last id with any weight, so a draw of almost 1 gives it. */
const wantFive = (count: number) => Array.from({ length: count }, () => [5, 9] as const);

describe("RAS", () => {
  it("replaces an id that is in the window twice, also when greedy", () => {
    // 5 5, then 9 until one of the two has left the window of 4.
    expect(run(wantFive(7), { win: 4 })).toEqual({ ids: [5, 5, 9, 9, 9, 5, 5], redrawn: [3, 4, 5] });
  });

  it("does nothing with a window of 0 or a repeat count of 0", () => {
    expect(run(wantFive(5), { win: 0 }).ids).toEqual([5, 5, 5, 5, 5]);
    expect(run(wantFive(5), { max: 0 }).ids).toEqual([5, 5, 5, 5, 5]);
  });

  it("redraws once from the raw logits: top-k 1 does not bind it, and the same id may come again", () => {
    expect(run(wantFive(4), { redraw: 0.5 })).toEqual({ ids: [5, 5, 5, 5], redrawn: [3, 4] });
    expect(run(wantFive(4), { temperature: 0.3 })).toEqual({ ids: [5, 5, 9, 9], redrawn: [3, 4] });
  });

  it("looks back at the delayed columns of an assistant clip", () => {
    // Codebook 0 of the clip's five columns is BOS, 5, 5, EOS, EOS; then comes the BOS column of the sequence.
    const clips = [
      [
        [5, 5],
        [1, 2],
      ],
    ];
    expect(run(wantFive(1), { clips, win: 5 })).toEqual({ ids: [9], redrawn: [1] });
    expect(run(wantFive(1), { clips, win: 5, max: 3 }).redrawn).toEqual([]);
    expect(run(wantFive(1), { clips, win: 4 }).redrawn).toEqual([]);
  });

  it("sees several clips as one row", () => {
    const clips = [
      [
        [3, 5],
        [0, 0],
      ],
      [[5], [0]],
    ];
    // Codebook 0 over both clips and the BOS column: BOS 3 5 EOS EOS, BOS 5 EOS EOS, BOS.
    expect(run(wantFive(1), { clips, win: 8 }).redrawn).toEqual([1]);
    expect(run(wantFive(1), { clips, win: 7 }).redrawn).toEqual([]);
    expect(lastDelayedColumns(clips, 6, CONFIG)).toEqual(
      Int32Array.from([
        ...applyDelayPattern(clips[0] ?? [], CONFIG).slice(-4),
        ...applyDelayPattern(clips[1] ?? [], CONFIG),
      ]),
    );
  });

  it("counts BOS and EOS as repeats", () => {
    // EOS twice at the end of the clip; a number of 1e-9 lands on the second largest logit when that comes first.
    const clips = [[[1], [1]]];
    const wantsEnd = [[EOS, 4] as const, [6, 7] as const];
    expect(run(wantsEnd, { clips, redraw: 1e-9 })).toEqual({ ids: [4, 6], redrawn: [1] });
  });
});
