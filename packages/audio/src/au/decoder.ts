import type { AudioDecoder } from "../decoder/audio-decoder.ts";
import { textAt, viewOf } from "../decoder/byte-text.ts";
import { convertHint } from "../decoder/convert-hint.ts";
import type { PcmSink } from "../decoder/pcm-sink.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import { pushRawAudio } from "../pcm/raw-audio.ts";
import type { SampleFormat } from "../pcm/sample-format.ts";
import { chunkData } from "../wav/riff-chunks.ts";

const HEADER_BYTES = 24;

/** Sun and NeXT audio (`.au`, `.snd`): µ-law, A-law, integers and floats. */
export const auDecoder: AudioDecoder = { decode: decodeAu };

async function decodeAu(bytes: Uint8Array, pcm: PcmSink): Promise<void> {
  if (bytes.length < HEADER_BYTES) throw referenceInvalid("its AU header is cut off");
  // DEC machines wrote both header and samples in little-endian order.
  const isBigEndian = textAt(bytes, 0, 4) === ".snd";
  const view = viewOf(bytes);
  const field = (index: number) => view.getUint32(index * 4, !isBigEndian);
  const start = Math.max(HEADER_BYTES, field(1));
  const encoding = readEncoding(field(3), isBigEndian);
  const { data, missingBytes } = chunkData(bytes, { start, size: field(2) }, isBigEndian);
  pcm.noteMissing(missingBytes);
  pushRawAudio({ encoding, channels: field(5), sampleRateHz: field(4), data, frames: null }, pcm);
}

function readEncoding(code: number, isBigEndian: boolean): SampleFormat {
  if (code === 1) return { kind: "mu-law" };
  if (code === 27) return { kind: "a-law" };
  // 2 to 5 are integers of 8 to 32 bits, 6 and 7 floats.
  if (code >= 2 && code <= 5) return { kind: "integer", bytes: code - 1, isBigEndian };
  if (code === 6 || code === 7) return { kind: "float", bytes: code === 6 ? 4 : 8, isBigEndian };
  const name = code >= 23 && code <= 26 ? "G.72x ADPCM" : `encoding ${code}`;
  const supported = "µ-law, A-law, PCM, float";
  throw referenceInvalid(`its AU encoding is not supported (got ${name}, supported ${supported})${convertHint("au")}`);
}
