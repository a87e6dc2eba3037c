import { textAt } from "../decoder/byte-text.ts";

/** Something that cannot be read. */
export interface OtherFormat {
  /** For example `AMR audio` or `an HTML page`. */
  readonly other: string;
  /** For files that ffmpeg can convert; null for others. */
  readonly extension: string | null;
}

/** Offset, bytes as Latin-1, what they identify, and the extension if ffmpeg reads it. */
const MAGIC: readonly (readonly [offset: number, magic: string, other: string, extension: string | null])[] = [
  [0, "#!AMR-WB", "AMR-WB audio", "awb"],
  [0, "#!AMR", "AMR audio", "amr"],
  [0, "#!SILK", "SILK audio", null],
  [1, "#!SILK", "SILK audio of WeChat or QQ", null],
  [0, "\u0030\u0026\u00b2\u0075\u008e\u0066\u00cf\u0011", "WMA or other ASF audio", "wma"],
  [0, "wvpk", "WavPack audio", "wv"],
  [0, "MAC ", "Monkey's Audio", "ape"],
  [0, "TTA1", "True Audio (TTA)", "tta"],
  [0, "TTA2", "True Audio (TTA)", "tta"],
  [0, "MPCK", "Musepack audio", "mpc"],
  [0, "MP+", "Musepack audio", "mpc"],
  [0, "OFR ", "OptimFROG audio", null],
  [0, "tBaK", "TAK audio", "tak"],
  [0, "ajkg", "Shorten audio", "shn"],
  [0, "DSD ", "DSD audio (DSF)", "dsf"],
  [0, "FRM8", "DSD audio (DSDIFF)", "dff"],
  [0, "\u000bw", "AC-3 audio", "ac3"],
  [0, "\u007f\u00fe\u0080\u0001", "DTS audio", "dts"],
  [0, "\u00fe\u007f\u0001\u0080", "DTS audio", "dts"],
  // From before 2001; the container library needs the file type box of later files.
  ...["moov", "mdat", "wide", "pnot", "free", "skip"].map((box) => [4, box, "old QuickTime", "mov"] as const),
  [0, "FLV\u0001", "FLV video", "flv"],
  [0, ".RMF", "RealMedia audio", "rm"],
  [0, ".ra\u00fd", "RealAudio", "ra"],
  [0, "NIST_1A", "NIST SPHERE audio", "sph"],
  [0, "Creative Voice File", "VOC audio", "voc"],
  [0, "ADIF", "AAC in ADIF", "aac"],
  [0, "\u0000\u0000\u0001\u00ba", "MPEG program stream", "mpg"],
  [0, "\u0000\u0000\u0001\u00b3", "MPEG video", null],
  [4, "\u00aa\u0005\u00aa", "an Audible book", null],
  [0, "MThd", "MIDI, which holds notes instead of audio", null],
  [8, "RMID", "MIDI, which holds notes instead of audio", null],
  [0, "IMPM", "a music module, which holds notes and samples", null],
  [0, "Extended Module:", "a music module, which holds notes and samples", null],
  [1080, "M.K.", "a music module, which holds notes and samples", null],
  [0, "PSF", "console game music", null],
  [8, "8SVX", "IFF 8SVX audio", "8svx"],
  [8, "16SV", "IFF 16SV audio", null],
  [8, "AVI ", "AVI video", "avi"],
  [8, "CDDA", "an audio CD track reference", null],
  [8, "WEBP", "a WebP picture", null],
  [0, "RIFF", "RIFF that is not WAV", null],
  [0, "FORM", "IFF that is not AIFF", null],
  [0, "\u0023EXTM3U", "a playlist, which holds links instead of audio", null],
  [0, "[playlist]", "a playlist, which holds links instead of audio", null],
  [0, "%PDF", "a PDF document", null],
  [0, "{\\rtf", "an RTF document", null],
  [0, "PK\u0003\u0004", "a zip archive", null],
  [0, "\u001f\u008b", "a gzip archive", null],
  [0, "BZh", "a bzip2 archive", null],
  [0, "\u00fd7zXZ\u0000", "an xz archive", null],
  [0, "(\u00b5/\u00fd", "a zstd archive", null],
  [0, "7z\u00bc\u00af", "a 7z archive", null],
  [0, "Rar!", "a RAR archive", null],
  [0, "\u0089PNG", "a PNG picture", null],
  [0, "GIF8", "a GIF picture", null],
  [0, "\u00ff\u00d8\u00ff", "a JPEG picture", null],
  [0, "\u007fELF", "a program", null],
  [0, "GGUF", "a GGUF model", null],
];

/** Web pages, documents and errors begin with text; this much of it is examined. */
const TEXT_BYTES = 512;

/** What the bytes are if they are a known type that is not supported; null when unknown. */
export function findOther(bytes: Uint8Array): OtherFormat | null {
  for (const [offset, magic, other, extension] of MAGIC) {
    if (textAt(bytes, offset, magic.length) === magic) return { other, extension };
  }
  const text = textOf(bytes);
  return text === null ? null : { other: text, extension: null };
}

function textOf(bytes: Uint8Array): string | null {
  const text = textAt(bytes, 0, TEXT_BYTES).trimStart().toLowerCase();
  if (/^(?:\u00ef\u00bb\u00bf)?<(?:!doctype html|html|head|body|script)/.test(text)) return "an HTML page";
  if (/^(?:\u00ef\u00bb\u00bf)?<(?:\?xml|error)/.test(text)) return "an XML document";
  if (/^[{[]\s*["{[\]}]/.test(text)) return "a JSON document";
  const isText = bytes
    .subarray(0, TEXT_BYTES)
    .every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127));
  return isText ? "text" : null;
}
