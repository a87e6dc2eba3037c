import { findMp3Frame, id3Bytes, readMp3FrameHeader } from "../mp3/frame-header.ts";
import { firstOggPayload } from "../ogg/pages.ts";
import type { SourceFormat } from "./audio-decoder.ts";
import { textAt } from "./byte-text.ts";

/** What the bytes are: a format that can be read, or the name of something else for the message. */
export type Sniffed =
  | { readonly format: SourceFormat }
  /** For example `AAC audio`, `an HTML page` or `bytes of an unknown format`. */
  | { readonly other: string };

/** How far ahead of the first MP3 frame garbage is accepted: players look about as far. */
const MP3_SEARCH_BYTES = 4_096;

/** Tells the format by the bytes alone; names and MIME types lie. */
export function sniffAudio(bytes: Uint8Array): Sniffed {
  if (bytes.length === 0) return { other: "an empty file" };
  const start = id3Bytes(bytes);
  if (start > 0) return sniffTagged(bytes.subarray(start));
  const magic = textAt(bytes, 0, 4);
  if ((magic === "RIFF" || magic === "RF64") && textAt(bytes, 8, 4) === "WAVE") return { format: "wav" };
  if (magic === "fLaC") return { format: "flac" };
  if (magic === "OggS") return sniffOgg(firstOggPayload(bytes));
  if (magic === "\u001aE\u00df\u00a3") return { format: "webm" };
  if (textAt(bytes, 4, 4) === "ftyp") return { format: "mp4" };
  const other = sniffOther(bytes, magic);
  if (other !== null) return { other };
  if (findMp3Frame(bytes, MP3_SEARCH_BYTES) !== null) return { format: "mp3" };
  // A file of one frame has no second header.
  if (readMp3FrameHeader(bytes, 0)?.frameBytes === bytes.length) return { format: "mp3" };
  return { other: "bytes of an unknown format" };
}

/** An ID3 tag is mostly before MP3, and sometimes before FLAC or AAC. */
function sniffTagged(rest: Uint8Array): Sniffed {
  if (textAt(rest, 0, 4) === "fLaC") return { format: "flac" };
  if (isAdts(rest)) return { other: "AAC audio" };
  return { format: "mp3" };
}

function sniffOgg(payload: Uint8Array): Sniffed {
  if (textAt(payload, 0, 8) === "OpusHead") return { format: "ogg-opus" };
  if (textAt(payload, 0, 7) === "\u0001vorbis") return { format: "ogg-vorbis" };
  if (textAt(payload, 0, 5) === "\u007fFLAC") return { format: "ogg-flac" };
  if (textAt(payload, 0, 8) === "Speex   ") return { other: "Ogg Speex" };
  return { other: "Ogg without a known audio codec at its start" };
}

/** Layer 0 where MPEG audio has 1 to 3. */
function isAdts(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xf6) === 0xf0;
}

const OTHER_MAGIC: Readonly<Record<string, string>> = {
  FORM: "AIFF audio",
  caff: "CAF audio",
  "#!AM": "AMR audio",
  ".snd": "Sun audio",
  MAC: "Monkey's Audio",
  wvpk: "WavPack audio",
  "\u0030\u0026\u00b2\u0075": "WMA audio",
  RIFX: "big-endian WAV",
  RIFF: "RIFF that is not WAV",
  "%PDF": "a PDF document",
  "PK\u0003\u0004": "a zip archive",
  "\u0089PNG": "a PNG picture",
  GIF8: "a GIF picture",
};

function sniffOther(bytes: Uint8Array, magic: string): string | null {
  const known = OTHER_MAGIC[magic] ?? OTHER_MAGIC[magic.slice(0, 3)];
  if (known !== undefined) return known;
  if (isAdts(bytes)) return "AAC audio";
  const text = textAt(bytes, 0, 512).trimStart().toLowerCase();
  if (/^(?:\u00ef\u00bb\u00bf)?<(?:!doctype html|html|head|body|script)/.test(text)) return "an HTML page";
  if (/^(?:\u00ef\u00bb\u00bf)?<(?:\?xml|error)/.test(text)) return "an XML document";
  if (/^[{[]\s*["{[\]}]/.test(text)) return "a JSON document";
  if (bytes.subarray(0, 512).every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127))) {
    return "text";
  }
  return null;
}
