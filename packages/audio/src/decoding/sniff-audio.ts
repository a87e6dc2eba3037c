import { readMp3FrameHeader, findMp3Frame, id3Bytes } from "../mp3/frame-header.ts";
import { oggHeads } from "../ogg/pages.ts";
import { SOURCE_FORMATS, type SourceFormat } from "../decoder/audio-decoder.ts";
import { textAt } from "../decoder/byte-text.ts";
import { convertHint } from "../decoder/convert-hint.ts";
import { findOther, type OtherFormat } from "./other-formats.ts";

/** What the bytes are: a supported format, or something else and its name for the message. */
export type Sniffed = { readonly format: SourceFormat } | OtherFormat;

/** How much garbage is accepted before the first MP3 frame: about as much as players accept. */
const MP3_SEARCH_BYTES = 4_096;

/** A packet of MPEG-TS begins with this, every 188 bytes. */
const TS_SYNC = 0x47;
const TS_PACKET_BYTES = 188;

const WAVE64_GUID = "riff\u002e\u0091\u00cf\u0011";

/** Detects the format from the bytes alone; names and MIME types lie. */
export function sniffAudio(bytes: Uint8Array): Sniffed {
  if (bytes.length === 0) return { other: "an empty file", extension: null };
  const start = id3Bytes(bytes);
  // An ID3 tag usually precedes MP3, sometimes other formats.
  if (start >= bytes.length) return { format: "mp3" };
  if (start > 0) return sniffUntagged(bytes.subarray(start)) ?? { format: "mp3" };
  return sniffUntagged(bytes) ?? { other: "bytes of an unknown format", extension: null };
}

/** Why an unsupported file is refused, and what to do if that is known. */
export function describeOther({ other, extension }: OtherFormat): string {
  return `it is not supported audio (got ${other}, supported ${SOURCE_FORMATS.join(", ")})${convertHint(extension)}`;
}

function sniffUntagged(bytes: Uint8Array): Sniffed | null {
  const format = formatOfMagic(bytes);
  if (format !== null) return { format };
  if (textAt(bytes, 0, 4) === "OggS") return sniffOgg(oggHeads(bytes));
  const other = findOther(bytes);
  if (other !== null) return other;
  if (isAdts(bytes) || isLoas(bytes)) return { format: "aac" };
  if (isTransportStream(bytes)) return { format: "mpeg-ts" };
  if (findMp3Frame(bytes, MP3_SEARCH_BYTES) !== null) return { format: "mp3" };
  // A file of one frame has no second header.
  if (readMp3FrameHeader(bytes, 0)?.frameBytes === bytes.length) return { format: "mp3" };
  return null;
}

function formatOfMagic(bytes: Uint8Array): SourceFormat | null {
  const magic = textAt(bytes, 0, 4);
  const form = textAt(bytes, 8, 4);
  if (["RIFF", "RIFX", "RF64", "BW64"].includes(magic) && form === "WAVE") return "wav";
  if (magic === "FORM" && (form === "AIFF" || form === "AIFC")) return "aiff";
  if (textAt(bytes, 0, 8) === WAVE64_GUID) return "w64";
  if (magic === "caff") return "caf";
  if (magic === ".snd" || magic === "dns.") return "au";
  if (magic === "fLaC") return "flac";
  if (magic === "\u001aE\u00df\u00a3") return "webm";
  if (textAt(bytes, 4, 4) === "ftyp") return "mp4";
  return null;
}

function sniffOgg(heads: readonly Uint8Array[]): Sniffed {
  if (heads.length === 0) return { other: "Ogg that ends in its first page", extension: null };
  const has = (magic: string) => heads.some((head) => textAt(head, 0, magic.length) === magic);
  if (has("OpusHead")) return { format: "ogg-opus" };
  if (has("\u0001vorbis")) return { format: "ogg-vorbis" };
  if (has("\u007fFLAC")) return { format: "ogg-flac" };
  if (has("Speex   ")) return { other: "Ogg Speex", extension: "spx" };
  return { other: "Ogg without a known audio codec at its start", extension: null };
}

/** ADTS: layer 0 (MPEG audio has 1 to 3), followed by another such header at the declared offset. */
function isAdts(bytes: Uint8Array): boolean {
  if (!isAdtsHeader(bytes, 0)) return false;
  const next = (((bytes[3] ?? 0) & 3) << 11) | ((bytes[4] ?? 0) << 3) | ((bytes[5] ?? 0) >> 5);
  return next >= bytes.length || isAdtsHeader(bytes, next);
}

function isAdtsHeader(bytes: Uint8Array, offset: number): boolean {
  return bytes[offset] === 0xff && ((bytes[offset + 1] ?? 0) & 0xf6) === 0xf0;
}

/** LATM in LOAS: 11 bits of sync, 13 of length. */
function isLoas(bytes: Uint8Array): boolean {
  const next = 3 + ((((bytes[1] ?? 0) & 0x1f) << 8) | (bytes[2] ?? 0));
  return isLoasHeader(bytes, 0) && isLoasHeader(bytes, next);
}

function isLoasHeader(bytes: Uint8Array, offset: number): boolean {
  return bytes[offset] === 0x56 && ((bytes[offset + 1] ?? 0) & 0xe0) === 0xe0;
}

function isTransportStream(bytes: Uint8Array): boolean {
  return [0, 1, 2].every((packet) => bytes[packet * TS_PACKET_BYTES] === TS_SYNC);
}
