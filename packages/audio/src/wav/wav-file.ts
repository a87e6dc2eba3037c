import { textAt, viewOf } from "../decoding/byte-text.ts";
import { referenceInvalid } from "../decoding/reference-invalid.ts";

/** Where the samples of a WAV file lie and what they are; all numbers are checked against the file. */
export interface WavFile {
  readonly kind: "integer" | "float";
  /** Of the container that holds one sample: 8, 16, 24 or 32 for integers, 32 or 64 for floats. */
  readonly bits: number;
  readonly channels: number;
  readonly sampleRateHz: number;
  /** Bytes of one sample of all channels. */
  readonly frameBytes: number;
  /** Whole frames only. */
  readonly data: Uint8Array;
}

const CHUNK_HEADER_BYTES = 8;
const FORMAT_BYTES = 16;
const EXTENSIBLE_FORMAT_BYTES = 40;

const FORMAT_PCM = 1;
const FORMAT_FLOAT = 3;
const FORMAT_EXTENSIBLE = 0xfffe;

/** A sub-format is the format tag, two zero bytes, and this. */
const SUB_FORMAT_TAIL = "\u0000\u0000\u0000\u0000\u0010\u0000\u0080\u0000\u0000\u00aa\u0000\u0038\u009b\u0071";

/** Tags that people do send, for the message. */
const OTHER_FORMATS: Readonly<Record<number, string>> = {
  2: "Microsoft ADPCM",
  6: "A-law",
  7: "µ-law",
  17: "IMA ADPCM",
  49: "GSM 6.10",
  80: "MPEG",
  85: "MP3",
};

/**
 * Tools that write into a pipe cannot go back to fill in the size, and leave 2 GiB or 4 GiB less a little: sox 0x7FFFF000
 * and more, ffmpeg 0xFFFFFFFF. Then the samples reach to the end of the file. No file under the size limit is this large.
 */
const UNKNOWN_SIZE_FROM = 0x7fff_f000;

/** Reads the chunks of a RIFF or RF64 file up to the samples. Throws REFERENCE_INVALID for what is wrong or unusual. */
export function openWav(bytes: Uint8Array): WavFile {
  const view = viewOf(bytes);
  let format: Omit<WavFile, "data"> | null = null;
  let offset = 12;
  while (offset + CHUNK_HEADER_BYTES <= bytes.length) {
    const id = textAt(bytes, offset, 4);
    const size = view.getUint32(offset + 4, true);
    const start = offset + CHUNK_HEADER_BYTES;
    if (id === "fmt ") format = readFormat(view, start, size);
    if (id === "data") {
      if (format === null) throw referenceInvalid("its WAV samples come before their format");
      return { ...format, data: samplesOf(bytes, start, size, format.frameBytes) };
    }
    // Chunks begin at even offsets.
    offset = start + size + (size % 2);
  }
  throw referenceInvalid(format === null ? "its WAV format chunk is missing" : "its WAV data chunk is missing");
}

function samplesOf(bytes: Uint8Array, start: number, size: number, frameBytes: number): Uint8Array {
  const available = bytes.length - start;
  if (size > available && size < UNKNOWN_SIZE_FROM) {
    throw referenceInvalid(
      `its WAV data chunk reaches past the end of the file (got ${size} bytes, limit ${available})`,
    );
  }
  const length = Math.min(size, available);
  return bytes.subarray(start, start + length - (length % frameBytes));
}

function readFormat(view: DataView, start: number, size: number): Omit<WavFile, "data"> {
  if (size < FORMAT_BYTES || start + size > view.byteLength) {
    throw referenceInvalid(`its WAV format chunk has an impossible size (got ${size} bytes)`);
  }
  const tag = formatTag(view, start, size);
  const channels = view.getUint16(start + 2, true);
  const sampleRateHz = view.getUint32(start + 4, true);
  const frameBytes = view.getUint16(start + 12, true);
  const bits = view.getUint16(start + 14, true);
  const kind = tag === FORMAT_FLOAT ? "float" : "integer";
  const allowed = kind === "float" ? [32, 64] : [8, 16, 24, 32];
  if (!allowed.includes(bits)) {
    throw referenceInvalid(`its WAV sample size is not supported (got ${bits} bits, supported ${allowed.join(", ")})`);
  }
  if (channels === 0 || frameBytes !== (channels * bits) / 8) {
    throw referenceInvalid(
      `its WAV format contradicts itself (got ${frameBytes} bytes for ${channels} samples of ${bits} bits)`,
    );
  }
  return { kind, bits, channels, sampleRateHz, frameBytes };
}

function formatTag(view: DataView, start: number, size: number): number {
  let tag = view.getUint16(start, true);
  if (tag === FORMAT_EXTENSIBLE) {
    if (size < EXTENSIBLE_FORMAT_BYTES) {
      throw referenceInvalid(`its WAV format chunk is too short (got ${size} bytes, limit ${EXTENSIBLE_FORMAT_BYTES})`);
    }
    const subFormat = new Uint8Array(view.buffer, view.byteOffset + start + 24, 16);
    if (textAt(subFormat, 2, 14) !== SUB_FORMAT_TAIL) throw referenceInvalid("its WAV sub-format is unknown");
    tag = view.getUint16(start + 24, true);
  }
  if (tag === FORMAT_PCM || tag === FORMAT_FLOAT) return tag;
  const name = OTHER_FORMATS[tag] ?? `format ${tag}`;
  throw referenceInvalid(`its WAV encoding is not supported (got ${name}, supported PCM and float)`);
}
