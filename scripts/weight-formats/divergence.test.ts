import { expect, it } from "vitest";
import { divergence, largestIndex } from "./divergence.ts";

it("is 0 for logits that differ by a constant, and Σ p log(p / q) else", () => {
  expect(divergence([1, 2, 3], [11, 12, 13])).toBeCloseTo(0, 12);
  const [p, q] = [
    [0.5, 0.25, 0.25],
    [0.25, 0.25, 0.5],
  ];
  const expected = 0.5 * Math.log(2) + 0.25 * Math.log(0.5);
  expect(divergence(p.map(Math.log), q.map(Math.log))).toBeCloseTo(expected, 12);
  expect(divergence([1000, 0], [0, 1000])).toBeCloseTo(1000, 9);
});

it("finds the first of the largest", () => {
  expect(largestIndex([1, 5, 5, 2])).toBe(1);
});
