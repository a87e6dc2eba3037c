import type { CodebookConfig } from "@higgs-worker/higgs-audio/parts";
import {
  CODEBOOKS,
  createColumnGenerator,
  describeColumnRules,
  framesOf,
  rowsOf,
  runColumns,
} from "@higgs-worker/higgs-audio/testing";
import { describe, expect, it } from "vitest";
import { NativeColumnRules } from "./column-rules.ts";
import { slowNativeSegment } from "./testing/slow-columns.ts";

const generatorFor = (config: CodebookConfig, maxColumns?: number) =>
  createColumnGenerator(config, {
    rules: new NativeColumnRules(config),
    ...(maxColumns !== undefined && { maxColumns }),
  });

describe("the tables of spec model §7", () => {
  it("ramps up and down as the native illustration", () => {
    const config = { numCodebooks: 3, idsPerCodebook: 1026, audioStreamBosId: 1024, audioStreamEosId: 1025 };
    const generator = generatorFor(config);
    runColumns(generator, config, (column, codebook) =>
      column === 5 && codebook === 1 ? 1025 : 100 * codebook + column,
    );
    const [B, E] = [1024, 1025];
    expect(rowsOf(generator.columns(), 3)).toEqual([
      [B, 1, 2, 3, 4, 5, E, E, E],
      [B, B, 102, 103, 104, E, 106, E, E],
      [B, B, B, 203, 204, 205, 206, 207, E],
    ]);
    expect(framesOf(generator).at(-1)).toEqual([5, 106, 207]);
  });

  it.each<[string, (column: number, codebook: number) => boolean, number, boolean]>([
    ["codebook 0, then all others in turn", (column, codebook) => column === 20 + codebook, 19, false],
    ["codebook 0 only", (column, codebook) => column === 20 && codebook === 0, 20, true],
    ["codebook 3", (column, codebook) => column === 20 && codebook === 3, 20, false],
    ["codebook 7", (column, codebook) => column === 20 && codebook === 7, 20, false],
  ])(
    "keeps the frames of the table of spec model §7.5: first EOS at column 20 in %s",
    (_name, isEos, count, endsWithEos) => {
      const pick = (column: number, codebook: number) => (isEos(column, codebook) ? 1025 : 10 * codebook + column);
      const frames = framesOf(runColumns(generatorFor(CODEBOOKS), CODEBOOKS, pick));
      expect(frames).toHaveLength(count);
      expect(frames.at(-1)?.[0] === 1023).toBe(endsWithEos);
    },
  );

  it.each([1, 2, 8, 9, 10, 30])("keeps C − 8 of %i columns when the length stops it", (maxColumns) => {
    const generator = runColumns(
      generatorFor(CODEBOOKS, maxColumns),
      CODEBOOKS,
      (column, codebook) => column + codebook,
    );
    expect(generator.finished).toBe("length");
    expect(generator.columnCount).toBe(maxColumns);
    expect(framesOf(generator)).toHaveLength(Math.max(0, maxColumns - 8));
  });
});

describeColumnRules("the native rules", (config) => new NativeColumnRules(config), slowNativeSegment);
