import { describe, expect, it } from "vitest";
import { type ExpectedCodes, compareCodes } from "./compare-codes.ts";

/** Two codebooks, three frames; the margin of codebook 0 in frame 1 is a near tie. */
const MARGINS = [0.5, 1e-3, 0.7, 0.3, 0.4, 0.6];

const EXPECTED: ExpectedCodes = {
  codes: [
    [1, 2, 3],
    [4, 5, 6],
  ],
  margins: Float32Array.from(MARGINS),
  norms: {
    expected: Float32Array.of(9, 8, 7, 6, 5, 4, 3, 2, 1),
    actual: [Float32Array.of(9, 8, 7), Float32Array.of(6, 5, 4), Float32Array.of(3, 2, 1)],
  },
  tolerance: 1e-4,
};

function result(codes: readonly number[][], margins: readonly number[] = MARGINS) {
  return {
    codes: codes.map((row) => Int32Array.from(row)),
    margins: [Float32Array.from(margins.slice(0, 3)), Float32Array.from(margins.slice(3))],
  };
}

describe("compareCodes()", () => {
  it("passes what is equal", () => {
    expect(
      compareCodes(
        result([
          [1, 2, 3],
          [4, 5, 6],
        ]),
        EXPECTED,
      ),
    ).toMatchObject({ status: "passed" });
  });

  it("lets a near tie go, and everything after it in its frame", () => {
    const outcome = compareCodes(
      result(
        [
          [1, 9, 3],
          [4, 9, 6],
        ],
        [0.5, 1e-3, 0.7, 0.3, 99, 0.6],
      ),
      EXPECTED,
    );
    expect(outcome).toMatchObject({ status: "passed", detail: "3 frames of codes, 1 near ties decided otherwise" });
  });

  it("without margins in the set, tells near ties by its own only where that is asked for", () => {
    const codes = [
      [1, 9, 3],
      [4, 9, 6],
    ];
    const withoutMargins = { ...EXPECTED, margins: null };
    expect(compareCodes(result(codes), withoutMargins)).toMatchObject({ status: "failed" });
    const trusting = { ...withoutMargins, isOwnMarginTrusted: true };
    expect(compareCodes(result(codes), trusting)).toMatchObject({
      status: "passed",
      detail: "3 frames of codes, 1 near ties decided otherwise",
    });
    const clear = [0.5, 0.9, 0.7, 0.3, 0.4, 0.6];
    expect(compareCodes(result(codes, clear), trusting)).toMatchObject({ status: "failed" });
  });

  it.each([
    [
      "a code with a margin",
      [
        [1, 2, 9],
        [4, 5, 6],
      ],
      "code 0 of frame 2: expected 3, got 9 (margin 7.0e-1)",
    ],
    [
      "a later code of a frame whose first is right",
      [
        [1, 2, 3],
        [4, 9, 6],
      ],
      "code 1 of frame 1: expected 5, got 9",
    ],
    [
      "too few frames",
      [
        [1, 2],
        [4, 5],
      ],
      "codes have another shape",
    ],
    ["too few codebooks", [[1, 2, 3]], "codes have another shape"],
  ])("fails for %s", (_what, codes, detail) => {
    expect(compareCodes(result(codes), EXPECTED)).toMatchObject({
      status: "failed",
      detail: expect.stringContaining(detail) as string,
    });
  });

  it("fails for a margin or a residual that is off, NaN too", () => {
    const codes = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    for (const wrong of [0.31, Number.NaN]) {
      const outcome = compareCodes(result(codes, [0.5, 1e-3, 0.7, wrong, 0.4, 0.6]), EXPECTED);
      expect(outcome).toMatchObject({
        status: "failed",
        detail: expect.stringContaining("margin 1 of frame 0") as string,
      });
    }
    const norms = { expected: EXPECTED.norms?.expected ?? new Float32Array(0), actual: [] };
    expect(compareCodes(result(codes), { ...EXPECTED, norms }).detail).toContain("residual 0 of frame 0");
  });
});
