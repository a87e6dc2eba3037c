import { describe, expect, it } from "vitest";
import { describeDifference, firstDifference, largestDifference, smallestCosine } from "./compare.ts";

describe("firstDifference", () => {
  it.each([
    [1, 1],
    [
      [1, [2]],
      [1, [2]],
    ],
    [Int32Array.of(1, 2), [1, 2]],
    [{ a: undefined }, {}],
    [null, null],
    [Number.NaN, Number.NaN],
  ])("finds none between %j and %j", (expected, actual) => {
    expect(firstDifference(expected, actual)).toBeNull();
  });

  it.each([
    [1, "1", 'value: expected 1, got "1"'],
    [[1, 2], [1], ".length: expected 2, got 1"],
    [[1], [1, 2], ".length: expected 1, got 2"],
    [{ a: [{ b: 1 }] }, { a: [{ b: 2 }] }, "a[0].b: expected 1, got 2"],
    [{ a: 1 }, { a: 1, b: 2 }, "b: expected undefined, got 2"],
    [[], {}, "value: expected [], got {}"],
    [null, undefined, "value: expected null, got undefined"],
    [0, -0, "value: expected 0, got 0"],
  ])("between %j and %j says where", (expected, actual, line) => {
    const difference = firstDifference(expected, actual);
    expect(difference && describeDifference(difference)).toBe(line);
  });
});

describe("largestDifference", () => {
  it("gives size and place", () => {
    expect(largestDifference([1, 2, 3], Float32Array.of(1, 2.5, 3.25))).toEqual({ largestError: 0.5, index: 1 });
    expect(largestDifference([], [])).toEqual({ largestError: 0, index: 0 });
  });

  it("takes NaN and missing values as infinitely wrong", () => {
    expect(largestDifference([1], [Number.NaN])).toEqual({ largestError: Number.POSITIVE_INFINITY, index: 0 });
    expect(largestDifference([Number.NaN], [Number.NaN]).largestError).toBe(Number.POSITIVE_INFINITY);
    expect(largestDifference([1, 2], [1])).toEqual({ largestError: Number.POSITIVE_INFINITY, index: 1 });
    expect(largestDifference([Number.POSITIVE_INFINITY], [Number.POSITIVE_INFINITY]).largestError).toBe(0);
  });
});

describe("smallestCosine", () => {
  it.each([
    { name: "the same rows", actual: [3, 4, 0, 2], cosine: 1 },
    { name: "rows of another length in the same direction", actual: [6, 8, 0, 1], cosine: 1 },
    { name: "a second row that is turned", actual: [3, 4, 2, 2], cosine: Math.SQRT1_2 },
    { name: "a row that is not finite", actual: [3, 4, Number.NaN, 2], cosine: -1 },
    { name: "a list that is too short", actual: [3, 4], cosine: -1 },
  ])("of $name is $cosine", ({ actual, cosine }) => {
    expect(smallestCosine(Float32Array.of(3, 4, 0, 2), Float32Array.from(actual), 2)).toBeCloseTo(cosine, 6);
  });
});
