import { convertHint } from "../decoder/convert-hint.ts";
import type { DecodeLimits } from "../decoder/limits.ts";
import type { PcmSink } from "../decoder/pcm-sink.ts";
import type { RawEncoding } from "../pcm/raw-audio.ts";
import { readWavFormat } from "../wav/wav-format.ts";
import {
  collectMpeg,
  collectRaw,
  openAac,
  openAlac,
  openOpus,
  type PacketDecoder,
  type TrackHeader,
} from "./packet-decoder.ts";

/** What a track's packets hold; Vorbis and FLAC are rewrapped into their own file formats. */
export type Codec = "aac" | "alac" | "opus" | "mpeg" | "vorbis" | "flac" | RawEncoding;

const SUPPORTED_CODECS = "AAC, ALAC, Opus, Vorbis, FLAC, MP3, PCM";

/** By the container library's name, or else by the name in the file. */
const CODECS: Readonly<Record<string, Codec>> = {
  aac: "aac",
  opus: "opus",
  vorbis: "vorbis",
  flac: "flac",
  mp3: "mpeg",
  ulaw: { kind: "mu-law" },
  alaw: { kind: "a-law" },
  "pcm-u8": { kind: "unsigned-8" },
  alac: "alac",
  A_ALAC: "alac",
  ".mp1": "mpeg",
  ".mp2": "mpeg",
  ".mp3": "mpeg",
  "ms\0U": "mpeg",
  "A_MPEG/L1": "mpeg",
  "A_MPEG/L2": "mpeg",
  ima4: { kind: "ima-adpcm-quicktime" },
};

/** Names of unsupported codecs, for the message. */
const NAMES: Readonly<Record<string, string>> = {
  ac3: "AC-3",
  eac3: "E-AC-3",
  dts: "DTS",
  samr: "AMR",
  sawb: "AMR-WB",
  sawp: "AMR-WB+",
  agsm: "GSM 6.10",
  MAC3: "MACE 3:1",
  MAC6: "MACE 6:1",
  QDM2: "QDesign Music",
  QDMC: "QDesign Music",
  Qclp: "Qualcomm PureVoice",
  "ms\0\u0002": "Microsoft ADPCM in QuickTime",
  "ms\0\u0011": "IMA ADPCM in QuickTime",
  "ac-4": "AC-4",
  mlpa: "Dolby TrueHD",
  mha1: "MPEG-H",
  mhm1: "MPEG-H",
  enca: "encrypted audio",
  drms: "encrypted audio of the iTunes Store",
  aavd: "encrypted audio of Audible",
  A_TRUEHD: "Dolby TrueHD",
  A_TTA1: "TTA",
  A_WAVPACK4: "WavPack",
  "A_REAL/COOK": "RealAudio",
  "A_AAC/MPEG4/LC/SBR": "AAC of an old kind",
  A_QUICKTIME: "QuickTime audio in Matroska",
};

/** Tracks that need a key; converting them does not help. */
const ENCRYPTED: ReadonlySet<string> = new Set(["enca", "drms", "aavd"]);

/** Whether a track of that name in MP4 cannot be read without a key. */
export function isEncrypted(id: string): boolean {
  return ENCRYPTED.has(id);
}

const PCM = /^pcm-(?<kind>[sf])(?<bits>\d+)(?<order>be)?$/;

/** The codec of a track; null when it is not supported. `configuration` is the format of WAV in some Matroska files. */
export function codecNamed(libraryName: string | null, id: string, configuration: Uint8Array | null): Codec | null {
  const [, kind, bits, order] = PCM.exec(libraryName ?? "") ?? [];
  if (bits !== undefined) {
    const isBigEndian = order === "be";
    return { kind: kind === "f" ? "float" : "integer", bytes: Number(bits) / 8, isBigEndian };
  }
  if (id === "A_MS/ACM" && configuration !== null) {
    const { encoding } = readWavFormat(configuration, 0, configuration.length, false);
    return encoding.kind === "mpeg" ? "mpeg" : encoding;
  }
  return CODECS[libraryName ?? id] ?? CODECS[id] ?? null;
}

/** Why a track is refused: the codec's name (or the file's name for it, if printable) and what to do. */
export function describeUnsupported(libraryName: string | null, id: string, extension: string): string {
  const known = NAMES[libraryName ?? id] ?? NAMES[id];
  const got = known ?? (/^[\w ./-]{1,20}$/.test(id) ? id.trim() : "an unknown one");
  const hint = isEncrypted(id) ? "" : convertHint(extension);
  return `its audio codec is not supported (got ${got}, supported ${SUPPORTED_CODECS})${hint}`;
}

/** A decoder for the packets of every codec that is not rewrapped into its own file format. */
export async function openPackets(
  codec: Exclude<Codec, "vorbis" | "flac">,
  header: TrackHeader,
  pcm: PcmSink,
  limits: DecodeLimits,
): Promise<PacketDecoder> {
  if (codec === "aac") return await openAac(header, pcm);
  if (codec === "alac") return await openAlac(header, pcm);
  if (codec === "opus") return await openOpus(header, pcm);
  if (codec === "mpeg") return collectMpeg(pcm, limits);
  return collectRaw(codec, header, pcm);
}
