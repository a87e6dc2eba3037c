import type { AudioDecoder } from "../decoder/audio-decoder.ts";
import { textAt, viewOf } from "../decoder/byte-text.ts";
import { convertHint } from "../decoder/convert-hint.ts";
import type { PcmSink } from "../decoder/pcm-sink.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import { pushRawAudio, type RawEncoding } from "../pcm/raw-audio.ts";
import { INTEGER_BYTES } from "../pcm/sample-format.ts";
import { chunkData, readChunks, type ChunkData } from "../wav/riff-chunks.ts";

/** `FORM`, its size, and `AIFF` or `AIFC`. */
const FIRST_CHUNK = 12;
const COMMON_BYTES = 18;
/** Before the samples: their offset and an unused block size. */
const SOUND_HEADER_BYTES = 8;

interface Common {
  readonly encoding: RawEncoding;
  readonly channels: number;
  readonly sampleRateHz: number;
}

/** AIFF and AIFF-C: big-endian integers, and the compression types little-endian, float, µ-law, A-law and IMA. */
export const aiffDecoder: AudioDecoder = { decode: decodeAiff };

async function decodeAiff(bytes: Uint8Array, pcm: PcmSink): Promise<void> {
  let common: Common | null = null;
  let sound: ChunkData | null = null;
  for (const { id, start, size } of readChunks(bytes, FIRST_CHUNK, true)) {
    if (id === "COMM") common = readCommon(bytes, start, size);
    if (id === "SSND") sound = soundData(bytes, start, size);
    if (common !== null && sound !== null) break;
  }
  if (common === null) throw referenceInvalid("its AIFF format chunk is missing");
  if (sound === null) throw referenceInvalid("its AIFF sound chunk is missing");
  pcm.noteMissing(sound.missingBytes);
  // The header's frame count is ignored: writers into a pipe leave it at 0.
  pushRawAudio({ ...common, data: sound.data, frames: null }, pcm);
}

function soundData(bytes: Uint8Array, start: number, size: number): ChunkData {
  if (start + SOUND_HEADER_BYTES > bytes.length) throw referenceInvalid("its AIFF sound chunk is cut off");
  const offset = viewOf(bytes).getUint32(start, false);
  const skipped = SOUND_HEADER_BYTES + (offset < size ? offset : 0);
  // A size of 0 does not even count this header.
  const content = size === 0 ? 0 : Math.max(0, size - skipped);
  return chunkData(bytes, { start: start + skipped, size: content }, true);
}

function readCommon(bytes: Uint8Array, start: number, size: number): Common {
  if (size < COMMON_BYTES || start + size > bytes.length) {
    throw referenceInvalid(`its AIFF format chunk has an impossible size (got ${size} bytes)`);
  }
  const view = viewOf(bytes);
  const bits = view.getUint16(start + 6, false);
  const isCompressed = textAt(bytes, 8, 4) === "AIFC" && size >= COMMON_BYTES + 4;
  const type = isCompressed ? textAt(bytes, start + COMMON_BYTES, 4) : "NONE";
  return {
    encoding: readEncoding(type, bits),
    channels: view.getUint16(start, false),
    sampleRateHz: Math.round(readExtended(view, start + 8)),
  };
}

/** The 68881's 80-bit format: 16 bits of sign and exponent, then the whole mantissa. */
function readExtended(view: DataView, offset: number): number {
  const exponent = (view.getUint16(offset, false) & 0x7fff) - 16_383;
  const mantissa = view.getUint32(offset + 2, false) * 2 ** 32 + view.getUint32(offset + 6, false);
  return mantissa * 2 ** (exponent - 63);
}

function readEncoding(type: string, bits: number): RawEncoding {
  switch (type) {
    case "NONE":
    case "twos":
    case "in24":
    case "in32":
      return integer(type === "in24" ? 24 : type === "in32" ? 32 : bits, true);
    case "sowt":
    case "42ni":
    case "23ni":
      return integer(type === "42ni" ? 24 : type === "23ni" ? 32 : bits, false);
    case "raw ":
      return { kind: "unsigned-8" };
    case "fl32":
    case "FL32":
      return { kind: "float", bytes: 4, isBigEndian: true };
    case "fl64":
    case "FL64":
      return { kind: "float", bytes: 8, isBigEndian: true };
    case "ulaw":
    case "ULAW":
      return { kind: "mu-law" };
    case "alaw":
    case "ALAW":
      return { kind: "a-law" };
    case "ima4":
      return { kind: "ima-adpcm-quicktime" };
    default: {
      const supported = "PCM, float, µ-law, A-law, IMA ADPCM";
      throw referenceInvalid(
        `its AIFF encoding is not supported (got ${nameOfType(type)}, supported ${supported})${convertHint("aiff")}`,
      );
    }
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  MAC3: "MACE 3:1",
  MAC6: "MACE 6:1",
  "GSM ": "GSM 6.10",
  QDM2: "QDesign Music",
  QDMC: "QDesign Music",
  Qclp: "Qualcomm PureVoice",
};

function nameOfType(type: string): string {
  return TYPE_NAMES[type] ?? (/^[\w ]{4}$/.test(type) ? `type ${type.trim()}` : "an unknown one");
}

function integer(bits: number, isBigEndian: boolean): RawEncoding {
  const bytes = Math.ceil(bits / 8);
  if (!INTEGER_BYTES.includes(bytes)) {
    throw referenceInvalid(`its AIFF sample size is not supported (got ${bits} bits, supported 1 to 32)`);
  }
  return { kind: "integer", bytes, isBigEndian };
}
