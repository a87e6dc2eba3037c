import { describe, expect, it } from "vitest";
import { convertToF32, type FloatDtype } from "./convert-dtype.ts";

function convert(dtype: FloatDtype, bits: readonly number[]): number[] {
  const source =
    dtype === "F64" ? new Float64Array(bits) : dtype === "F32" ? new Float32Array(bits) : new Uint16Array(bits);
  const target = new Float32Array(bits.length);
  convertToF32(dtype, new Uint8Array(source.buffer), target);
  return [...target];
}

describe("convertToF32()", () => {
  it("widens bf16", () => {
    expect(convert("BF16", [0x3f80, 0xc000, 0x3eaa, 0x0001, 0x8000, 0x7f80, 0xff80])).toEqual([
      1,
      -2,
      0.33203125,
      9.183549615799121e-41,
      -0,
      Infinity,
      -Infinity,
    ]);
    expect(convert("BF16", [0x7fc0])[0]).toBeNaN();
  });

  it("widens f16, subnormals included", () => {
    expect(convert("F16", [0x3c00, 0xc000, 0x3555, 0x0001, 0x03ff, 0x0400, 0x7bff, 0x8000, 0x7c00, 0xfc00])).toEqual([
      1,
      -2,
      0.333251953125,
      2 ** -24,
      (1023 / 1024) * 2 ** -14,
      2 ** -14,
      65_504,
      -0,
      Infinity,
      -Infinity,
    ]);
    expect(convert("F16", [0x7e00])[0]).toBeNaN();
  });

  it("copies f32 and rounds f64", () => {
    expect(convert("F32", [0.5, -3])).toEqual([0.5, -3]);
    expect(convert("F64", [0.1, 1e300])).toEqual([Math.fround(0.1), Infinity]);
  });

  it("converts only as many elements as the target has, from anywhere in a buffer", () => {
    const source = new Uint16Array([0, 0x3f80, 0x4000, 0]);
    const target = new Float32Array(2);
    convertToF32("BF16", new Uint8Array(source.buffer, 2, 6), target);
    expect([...target]).toEqual([1, 2]);
  });

  it("gives the same for bf16 at every alignment and length", () => {
    const stored = Uint16Array.from({ length: 40 }, (_, index) => (index * 2749 + 16_000) & 0xffff);
    for (let start = 0; start < 4; start += 1) {
      for (let length = 0; length < 9; length += 1) {
        const target = new Float32Array(length);
        convertToF32("BF16", new Uint8Array(stored.buffer, start * 2, length * 2), target);
        const expected = Uint32Array.from({ length }, (_, index) => ((stored[start + index] ?? 0) << 16) >>> 0);
        expect(new Uint32Array(target.buffer)).toEqual(expected);
      }
    }
  });

  it("refuses too few bytes", () => {
    expect(() => convertToF32("F16", new Uint8Array(3), new Float32Array(2))).toThrow(RangeError);
  });
});
