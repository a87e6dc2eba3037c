import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CodebookConfig } from "./codebook-config.ts";
import { applyDelayPattern, delayedColumnCount, readDelayedFrames, revertDelayPattern } from "./delay-pattern.ts";

const B = 1024;
const E = 1025;

function config(numCodebooks: number): CodebookConfig {
  return { numCodebooks, idsPerCodebook: 1026, audioStreamBosId: B, audioStreamEosId: E };
}

/** `rows[codebook][column]` of columns that are stored one after the other. */
function rowsOf(columns: Int32Array, numCodebooks: number): number[][] {
  return Array.from({ length: numCodebooks }, (_, codebook) =>
    [...columns].filter((_id, index) => index % numCodebooks === codebook),
  );
}

const clips = fc
  .record({ numCodebooks: fc.integer({ min: 1, max: 12 }), frames: fc.integer({ min: 0, max: 40 }) })
  .chain(({ numCodebooks, frames }) =>
    fc.array(fc.array(fc.nat(1023), { minLength: frames, maxLength: frames }), {
      minLength: numCodebooks,
      maxLength: numCodebooks,
    }),
  );

describe("applyDelayPattern", () => {
  it("makes the table of spec model §7.1 (3 codebooks, 4 frames)", () => {
    const codes = [
      [10, 11, 12, 13],
      [20, 21, 22, 23],
      [30, 31, 32, 33],
    ];
    expect(rowsOf(applyDelayPattern(codes, config(3)), 3)).toEqual([
      [B, 10, 11, 12, 13, E, E, E],
      [B, B, 20, 21, 22, 23, E, E],
      [B, B, B, 30, 31, 32, 33, E],
    ]);
  });

  it("takes T + 9 columns for 8 codebooks", () => {
    expect(delayedColumnCount(0, config(8))).toBe(9);
    expect(delayedColumnCount(120, config(8))).toBe(129);
  });

  it("refuses codebooks of different lengths, and another number of them", () => {
    const internal = expect.objectContaining({ code: "INTERNAL" });
    expect(() => applyDelayPattern([[1, 2], [3]], config(2))).toThrow(internal);
    expect(() => applyDelayPattern([[1, 2]], config(2))).toThrow(internal);
  });
});

describe("revertDelayPattern", () => {
  it("gives back any codes between a BOS and an EOS frame", () => {
    fc.assert(
      fc.property(clips, (codes) => {
        const numCodebooks = codes.length;
        const columns = applyDelayPattern(codes, config(numCodebooks));
        expect(columns.length / numCodebooks).toBe(delayedColumnCount(codes[0]?.length ?? 0, config(numCodebooks)));
        const reverted = revertDelayPattern(columns, config(numCodebooks));
        expect(reverted.map((row) => [...row])).toEqual(codes.map((row) => [B, ...row, E]));
      }),
    );
  });

  it("leaves C − 7 frames of C columns, none of fewer than 8", () => {
    for (const [columns, frames] of [
      [0, 0],
      [7, 0],
      [8, 1],
      [30, 23],
    ] as const) {
      const reverted = revertDelayPattern(new Int32Array(columns * 8), config(8));
      expect(reverted.map((row) => row.length)).toEqual(Array.from({ length: 8 }, () => frames));
    }
  });

  it("reads a part of the frames as the same part of the whole", () => {
    fc.assert(
      fc.property(clips, fc.nat(), fc.nat(), (codes, a, b) => {
        const columns = applyDelayPattern(codes, config(codes.length));
        const whole = revertDelayPattern(columns, config(codes.length));
        const frameCount = whole[0]?.length ?? 0;
        const first = a % frameCount;
        const count = b % (frameCount - first + 1);
        expect(readDelayedFrames(columns, first, count, config(codes.length))).toEqual(
          whole.map((row) => row.slice(first, first + count)),
        );
      }),
    );
  });
});
