import { textAt, viewOf } from "../decoder/byte-text.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";

/** The facts of a FLAC stream's first metadata block. */
export interface FlacStreamInfo {
  readonly sampleRateHz: number;
  readonly channels: number;
  /** Of one sample: 4 to 32. */
  readonly bits: number;
  /** Per channel; 0 when the encoder did not know. */
  readonly totalSamples: number;
}

const STREAM_INFO_BYTES = 34;

/**
 * Reads STREAMINFO, which follows the four bytes `fLaC` at `offset`.
 *
 * @throws {HiggsError} REFERENCE_INVALID when it is missing
 */
export function readFlacStreamInfo(bytes: Uint8Array, offset: number): FlacStreamInfo {
  const start = offset + 8;
  const type = (bytes[offset + 4] ?? 0xff) & 0x7f;
  if (textAt(bytes, offset, 4) !== "fLaC" || type !== 0 || bytes.length < start + STREAM_INFO_BYTES) {
    throw referenceInvalid("its FLAC header is missing or cut off");
  }
  const view = viewOf(bytes);
  // After four numbers of 2, 2, 3 and 3 bytes: 20 bits of rate, 3 of channels, 5 of sample size, 36 of length.
  const packed = view.getBigUint64(start + 10);
  return {
    sampleRateHz: Number(packed >> 44n),
    channels: Number((packed >> 41n) & 7n) + 1,
    bits: Number((packed >> 36n) & 31n) + 1,
    totalSamples: Number(packed & 0xf_ffff_ffffn),
  };
}
