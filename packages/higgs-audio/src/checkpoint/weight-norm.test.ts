import { describe, expect, it } from "vitest";
import { fuseWeightNorm } from "./weight-norm.ts";

const SHAPE = [3, 2, 4];
const V = Float32Array.from({ length: 24 }, (_, index) => Math.sin(index + 1));

/** Norm of the slice of `values` at `index` along `axis` of SHAPE. */
function sliceNorm(values: Float32Array, axis: number, index: number): number {
  let sum = 0;
  for (let at = 0; at < values.length; at += 1) {
    const position = [Math.floor(at / 8), Math.floor(at / 4) % 2, at % 4][axis];
    if (position === index) sum += (values[at] ?? 0) ** 2;
  }
  return Math.sqrt(sum);
}

describe("fuseWeightNorm()", () => {
  it.each([0, 1, 2])("gives each slice along axis %i the norm g and keeps the direction", (axis) => {
    const g = Float32Array.from({ length: SHAPE[axis] ?? 0 }, (_, index) => index + 0.5);
    const weight = fuseWeightNorm(V, g, SHAPE, axis);
    g.forEach((norm, index) => {
      expect(sliceNorm(weight, axis, index)).toBeCloseTo(norm, 6);
    });
    weight.forEach((value, at) => {
      const index = [Math.floor(at / 8), Math.floor(at / 4) % 2, at % 4][axis] ?? 0;
      expect(value).toBeCloseTo(((V[at] ?? 0) * (g[index] ?? 0)) / sliceNorm(V, axis, index), 6);
    });
  });

  it("keeps the sign of g and adds no epsilon", () => {
    expect([...fuseWeightNorm(Float32Array.of(3e-20, 4e-20), Float32Array.of(-10), [1, 2], 0)]).toEqual([-6, -8]);
  });

  it("refuses sizes that do not match", () => {
    expect(() => fuseWeightNorm(V, new Float32Array(2), SHAPE, 0)).toThrow(RangeError);
  });
});
