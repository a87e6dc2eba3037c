import { DTYPE_BYTES } from "./tensor-source.ts";

/** Element types that weights may have; everything is computed from their values in f32. */
export type FloatDtype = "F64" | "F32" | "F16" | "BF16";

export function isFloatDtype(dtype: string): dtype is FloatDtype {
  return dtype === "F64" || dtype === "F32" || dtype === "F16" || dtype === "BF16";
}

/**
 * Converts `target.length` elements at the start of `source` to f32. `source` is little-endian and aligned to its
 * element size. F16 and BF16 are exact; F64 is rounded. Subnormals, infinities and NaN keep their meaning.
 */
export function convertToF32(dtype: FloatDtype, source: Uint8Array, target: Float32Array): void {
  const byteLength = target.length * DTYPE_BYTES[dtype];
  if (source.byteLength < byteLength) {
    throw new RangeError(
      `Cannot convert ${dtype} to f32: too few bytes (got ${source.byteLength}, needed ${byteLength})`,
    );
  }
  const { buffer, byteOffset } = source;
  switch (dtype) {
    case "BF16":
      convertBf16(new Uint16Array(buffer, byteOffset, target.length), target);
      break;
    case "F16":
      convertF16(new Uint16Array(buffer, byteOffset, target.length), target);
      break;
    case "F32":
      target.set(new Float32Array(buffer, byteOffset, target.length));
      break;
    case "F64":
      target.set(new Float64Array(buffer, byteOffset, target.length));
      break;
  }
}

/** bf16 is the upper half of an f32. Two values are taken at once where the alignment allows: nearly twice as fast. */
function convertBf16(source: Uint16Array, target: Float32Array): void {
  const bits = new Int32Array(target.buffer, target.byteOffset, target.length);
  const isAligned = source.byteOffset % Int32Array.BYTES_PER_ELEMENT === 0;
  const pairCount = isAligned ? source.length >>> 1 : 0;
  const pairs = isAligned ? new Int32Array(source.buffer, source.byteOffset, pairCount) : NO_PAIRS;
  for (let pair = 0, at = 0; pair < pairCount; pair += 1, at += 2) {
    const both = pairs[pair] ?? 0;
    bits[at] = both << 16;
    bits[at + 1] = both & 0xffff0000;
  }
  for (let at = 2 * pairCount; at < bits.length; at += 1) bits[at] = (source[at] ?? 0) << 16;
}

const NO_PAIRS = new Int32Array(0);

/** All 65 536 values are kept in a table (256 KB): one look-up is as fast as the shortest arithmetic. */
function convertF16(source: Uint16Array, target: Float32Array): void {
  f16Bits ??= makeF16Table();
  const table = f16Bits;
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let index = 0; index < bits.length; index += 1) bits[index] = table[source[index] ?? 0] ?? 0;
}

let f16Bits: Uint32Array | null = null;

function makeF16Table(): Uint32Array {
  const values = new Float32Array(65_536);
  const bits = new Uint32Array(values.buffer);
  for (let half = 0; half < 65_536; half += 1) {
    const sign = half >>> 15;
    const exponent = (half >>> 10) & 31;
    const mantissa = half & 1023;
    if (exponent === 31) bits[half] = ((sign << 31) | 0x7f800000 | (mantissa << 13)) >>> 0;
    else values[half] = (sign === 1 ? -1 : 1) * magnitudeOfF16(exponent, mantissa);
  }
  return bits;
}

function magnitudeOfF16(exponent: number, mantissa: number): number {
  return exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
