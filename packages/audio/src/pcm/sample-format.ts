import { expandALaw, expandMuLaw } from "./companding.ts";

/** One sample as stored in a file. Integers are left-justified: 12 bits in 2 bytes are 16 bits with zeros below. */
export type SampleFormat =
  | { readonly kind: "integer"; readonly bytes: number; readonly isBigEndian: boolean }
  | { readonly kind: "float"; readonly bytes: number; readonly isBigEndian: boolean }
  | { readonly kind: "unsigned-8" }
  | { readonly kind: "mu-law" }
  | { readonly kind: "a-law" };

/** Of one sample of one channel. */
export function bytesOfSample(format: SampleFormat): number {
  return "bytes" in format ? format.bytes : 1;
}

/** Sizes that `sampleReader` knows. */
export const INTEGER_BYTES: readonly number[] = [1, 2, 3, 4, 8];
export const FLOAT_BYTES: readonly number[] = [4, 8];

/** Reads a sample at an offset: integers and companded values scaled to ±1, floats unchanged. */
export function sampleReader(format: SampleFormat): (view: DataView, offset: number) => number {
  if (format.kind === "unsigned-8") return (view, offset) => (view.getUint8(offset) - 128) / 128;
  if (format.kind === "mu-law") return companded(expandMuLaw);
  if (format.kind === "a-law") return companded(expandALaw);
  const { bytes } = format;
  const isLittle = !format.isBigEndian;
  if (format.kind === "float") {
    if (bytes === 8) return (view, offset) => view.getFloat64(offset, isLittle);
    return (view, offset) => view.getFloat32(offset, isLittle);
  }
  if (bytes === 1) return (view, offset) => view.getInt8(offset) / 2 ** 7;
  if (bytes === 2) return (view, offset) => view.getInt16(offset, isLittle) / 2 ** 15;
  if (bytes === 3) {
    const [high, low] = isLittle ? [2, 0] : [0, 1];
    return (view, offset) => ((view.getInt8(offset + high) << 16) | view.getUint16(offset + low, isLittle)) / 2 ** 23;
  }
  // A float cannot hold more than the upper half of 64 bits.
  const top = bytes === 8 && isLittle ? 4 : 0;
  return (view, offset) => view.getInt32(offset + top, isLittle) / 2 ** 31;
}

function companded(expand: (code: number) => number): (view: DataView, offset: number) => number {
  const table = Float32Array.from({ length: 256 }, (_, code) => expand(code) / 2 ** 15);
  return (view, offset) => table[view.getUint8(offset)] ?? 0;
}
