import { describe, expect, it } from "vitest";
import { BosonColumnRules } from "./column-rules.ts";
import { createColumnGenerator, describeColumnRules, framesOf, runColumns } from "./testing/describe-column-rules.ts";
import { CODEBOOKS, rowsOf, scriptedLogits } from "./testing/scripted-logits.ts";
import { slowBosonSegment } from "./testing/slow-columns.ts";

describe("the tables of spec model §7", () => {
  it("ramps up and down as the boson illustration (spec model §7.4)", () => {
    const config = { numCodebooks: 3, idsPerCodebook: 1026, audioStreamBosId: 1024, audioStreamEosId: 1025 };
    const generator = createColumnGenerator(config);
    runColumns(generator, config, (column, codebook) =>
      column === 5 && codebook === 0 ? 1025 : 100 * codebook + column,
    );
    const [B, E] = [1024, 1025];
    expect(rowsOf(generator.columns(), 3)).toEqual([
      [B, 1, 2, 3, 4, E, E, E],
      [B, B, 102, 103, 104, 105, 106, E],
      [B, B, B, 203, 204, 205, 206, 207],
    ]);
    expect(generator.finished).toBe("eos");
    expect(framesOf(generator)).toEqual([
      [1, 102, 203],
      [2, 103, 204],
      [3, 104, 205],
      [4, 105, 206],
    ]);
  });

  it.each<[string, (column: number, codebook: number) => boolean, number]>([
    ["codebook 0, then all others in turn", (column, codebook) => column === 20 + codebook, 19],
    ["codebook 0 only", (column, codebook) => column === 20 && codebook === 0, 19],
    ["codebook 3", (column, codebook) => column === 20 && codebook === 3, 16],
    ["codebook 7", (column, codebook) => column === 20 && codebook === 7, 12],
  ])("keeps the frames of the table of spec model §7.5: first EOS at column 20 in %s", (_name, isEos, count) => {
    const pick = (column: number, codebook: number) => (isEos(column, codebook) ? 1025 : 10 * codebook + column);
    const frames = framesOf(runColumns(createColumnGenerator(CODEBOOKS), CODEBOOKS, pick));
    expect(frames).toHaveLength(count);
    expect(frames[0]).toEqual([1, 12, 23, 34, 45, 56, 67, 78]);
  });

  it.each([1, 2, 8, 9, 10, 30])("keeps C − 9 of %i columns when the length stops it", (maxColumns) => {
    const generator = runColumns(
      createColumnGenerator(CODEBOOKS, { maxColumns }),
      CODEBOOKS,
      (column, codebook) => column + codebook,
    );
    expect(generator.finished).toBe("length");
    expect(generator.columnCount).toBe(maxColumns);
    expect(framesOf(generator)).toHaveLength(Math.max(0, maxColumns - 9));
  });
});

describeColumnRules("boson's rules", (config) => new BosonColumnRules(config), slowBosonSegment);

describe("boson's streaming", () => {
  it("has the first frame after 9 columns, and one more with every column (spec model §7.6)", () => {
    const generator = createColumnGenerator(CODEBOOKS);
    const available: number[] = [generator.availableFrames];
    for (let column = 1; column < 12; column++) {
      generator.step(
        scriptedLogits(
          CODEBOOKS,
          Array.from({ length: 8 }, () => column),
        ),
      );
      available.push(generator.availableFrames);
    }
    expect(available).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
  });
});
