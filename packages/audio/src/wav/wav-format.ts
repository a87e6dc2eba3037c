import { textAt, viewOf } from "../decoder/byte-text.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import { convertHint } from "../decoder/convert-hint.ts";
import type { AdpcmCoefficients } from "../pcm/microsoft-adpcm.ts";
import { MICROSOFT_COEFFICIENTS } from "../pcm/microsoft-adpcm.ts";
import type { RawEncoding } from "../pcm/raw-audio.ts";
import { FLOAT_BYTES, INTEGER_BYTES } from "../pcm/sample-format.ts";

/** The contents of WAV's format chunk, checked except for the rate and the channels. */
export interface WavFormat {
  readonly encoding: RawEncoding | { readonly kind: "mpeg" };
  readonly channels: number;
  readonly sampleRateHz: number;
}

const FORMAT_BYTES = 16;
const EXTENSIBLE_FORMAT_BYTES = 40;

const TAG_PCM = 1;
const TAG_MICROSOFT_ADPCM = 2;
const TAG_FLOAT = 3;
const TAG_A_LAW = 6;
const TAG_MU_LAW = 7;
const TAG_IMA_ADPCM = 17;
const TAG_MPEG = 80;
const TAG_MP3 = 85;
const TAG_EXTENSIBLE = 0xfffe;

/** A sub-format is the format tag, two zero bytes, and one of these: Microsoft's, or that of ambisonic files. */
const SUB_FORMAT_TAILS: ReadonlySet<string> = new Set([
  "\u0000\u0000\u0000\u0000\u0010\u0000\u0080\u0000\u0000\u00aa\u0000\u0038\u009b\u0071",
  "\u0000\u0000\u0021\u0007\u00d3\u0011\u0086\u0044\u00c8\u00c1\u00ca\u0000\u0000\u0000",
]);

/** Unsupported tags that occur in practice, for the message. */
const OTHER_FORMATS: Readonly<Record<number, string>> = {
  0x31: "GSM 6.10",
  0x40: "G.721 ADPCM",
  0x42: "G.723.1",
  0x45: "G.726 ADPCM",
  0x64: "G.726 ADPCM",
  0x65: "G.722",
  0x14: "G.723 ADPCM",
  0x22: "TrueSpeech",
  0x83: "G.729",
  0xff: "AAC",
  0x160: "WMA version 1",
  0x161: "WMA",
  0x162: "WMA Professional",
  0x163: "WMA Lossless",
  0x1610: "AAC",
  0x2000: "AC-3",
  0x2001: "DTS",
  0xf1ac: "FLAC in WAV",
  0x566f: "Vorbis in WAV",
  0xa109: "Speex",
};

/**
 * Reads a format chunk of `size` bytes at `start`.
 *
 * @throws {HiggsError} REFERENCE_INVALID when it is cut off, contradicts itself, or names an unsupported encoding
 */
export function readWavFormat(bytes: Uint8Array, start: number, size: number, isBigEndian: boolean): WavFormat {
  if (size < FORMAT_BYTES || start + size > bytes.length) {
    throw referenceInvalid(`its WAV format chunk has an impossible size (got ${size} bytes)`);
  }
  const view = viewOf(bytes.subarray(start, start + size));
  const isLittle = !isBigEndian;
  const tag = formatTag(view, isLittle);
  const channels = view.getUint16(2, isLittle);
  const sampleRateHz = view.getUint32(4, isLittle);
  const header = {
    channels,
    blockBytes: view.getUint16(12, isLittle),
    bits: view.getUint16(14, isLittle),
    isBigEndian,
    view,
  };
  if (channels === 0) throw referenceInvalid("its WAV format contradicts itself (got 0 channels)");
  return { encoding: readEncoding(tag, header), channels, sampleRateHz };
}

interface Header {
  readonly channels: number;
  readonly blockBytes: number;
  readonly bits: number;
  readonly isBigEndian: boolean;
  readonly view: DataView;
}

function readEncoding(tag: number, header: Header): WavFormat["encoding"] {
  switch (tag) {
    case TAG_PCM: {
      const bytes = sampleBytes(header, INTEGER_BYTES);
      // Up to 8 bits WAV is unsigned, above it is not.
      return bytes === 1 ? { kind: "unsigned-8" } : { kind: "integer", bytes, isBigEndian: header.isBigEndian };
    }
    case TAG_FLOAT:
      return { kind: "float", bytes: sampleBytes(header, FLOAT_BYTES), isBigEndian: header.isBigEndian };
    case TAG_A_LAW:
      return { kind: "a-law" };
    case TAG_MU_LAW:
      return { kind: "mu-law" };
    case TAG_IMA_ADPCM:
      return { kind: "ima-adpcm", blockBytes: adpcmBlock(header, 4) };
    case TAG_MICROSOFT_ADPCM:
      return {
        kind: "microsoft-adpcm",
        blockBytes: adpcmBlock(header, 7),
        coefficients: readCoefficients(header.view),
      };
    case TAG_MPEG:
    case TAG_MP3:
      return { kind: "mpeg" };
    default: {
      const name = OTHER_FORMATS[tag] ?? `format ${tag}`;
      const supported = "PCM, float, A-law, µ-law, ADPCM, MP3";
      throw referenceInvalid(
        `its WAV encoding is not supported (got ${name}, supported ${supported})${convertHint("wav")}`,
      );
    }
  }
}

/** Bytes of one sample, from the bits; some recorders write a wrong frame size, so it only counts without them. */
function sampleBytes({ channels, blockBytes, bits }: Header, allowed: readonly number[]): number {
  const bytes = bits === 0 ? blockBytes / channels : Math.ceil(bits / 8);
  if (allowed.includes(bytes)) return bytes;
  const supported = allowed.map((bytes) => bytes * 8).join(", ");
  throw referenceInvalid(`its WAV sample size is not supported (got ${bits} bits, supported ${supported})`);
}

function adpcmBlock({ channels, blockBytes, bits }: Header, headerBytes: number): number {
  if (bits !== 4 && bits !== 0) {
    throw referenceInvalid(
      `its ADPCM sample size is not supported (got ${bits} bits, supported 4)${convertHint("wav")}`,
    );
  }
  const least = channels * headerBytes;
  if (blockBytes <= least) {
    throw referenceInvalid(`its ADPCM blocks are too short (got ${blockBytes} bytes, limit more than ${least})`);
  }
  return blockBytes;
}

/** Behind the size of the extension, samples in a block, and how many there are. */
function readCoefficients(view: DataView): readonly AdpcmCoefficients[] {
  const count = view.byteLength >= 22 ? view.getUint16(20, true) : 0;
  if (count === 0 || 22 + count * 4 > view.byteLength) return MICROSOFT_COEFFICIENTS;
  return Array.from({ length: count }, (_, i) => [view.getInt16(22 + i * 4, true), view.getInt16(24 + i * 4, true)]);
}

function formatTag(view: DataView, isLittle: boolean): number {
  const tag = view.getUint16(0, isLittle);
  if (tag !== TAG_EXTENSIBLE) return tag;
  if (view.byteLength < EXTENSIBLE_FORMAT_BYTES) {
    throw referenceInvalid(
      `its WAV format chunk is too short (got ${view.byteLength} bytes, limit ${EXTENSIBLE_FORMAT_BYTES})`,
    );
  }
  const subFormat = new Uint8Array(view.buffer, view.byteOffset + 24, 16);
  if (isLittle && !SUB_FORMAT_TAILS.has(textAt(subFormat, 2, 14)))
    throw referenceInvalid("its WAV sub-format is unknown");
  return view.getUint16(24, isLittle);
}
