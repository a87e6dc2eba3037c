import { isHiggsError } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import { toTableRows } from "./codes.ts";

const SHAPE = { quantizerCount: 2, codebookSize: 10 };

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isHiggsError(error)) return error.toString();
    throw error;
  }
  return "no error";
}

describe("toTableRows()", () => {
  it("goes frame by frame and moves each codebook to its own rows", () => {
    const codes = [Int32Array.of(1, 9, 0), Int32Array.of(0, 3, 9)];
    expect([...toTableRows(codes, SHAPE)]).toEqual([1, 10, 9, 13, 0, 19]);
  });

  it("refuses the specials of the audio stream, which would read beyond the table", () => {
    const codes = [Int32Array.of(1, 2), Int32Array.of(1, 10)];
    expect(codeOf(() => toTableRows(codes, SHAPE))).toMatch(/^INTERNAL: .*codebook 1, frame 1 \(got 10, limit 9\)/);
    expect(codeOf(() => toTableRows([Int32Array.of(-1), Int32Array.of(0)], SHAPE))).toMatch(/got -1/);
  });

  it("refuses missing rows and rows of different length", () => {
    expect(codeOf(() => toTableRows([Int32Array.of(1)], SHAPE))).toMatch(/^INTERNAL: /);
    expect(codeOf(() => toTableRows([Int32Array.of(1), Int32Array.of(1, 2)], SHAPE))).toMatch(/^INTERNAL: /);
  });
});
