import type { AudioDecoder } from "../decoder/audio-decoder.ts";
import { textAt, viewOf } from "../decoder/byte-text.ts";
import type { PcmSink } from "../decoder/pcm-sink.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import { pushRawAudio } from "../pcm/raw-audio.ts";
import { chunkData, type ChunkData } from "../wav/riff-chunks.ts";
import { readWavFormat, type WavFormat } from "../wav/wav-format.ts";

/** `riff`, its size, and `wave`, as GUIDs of which the first four bytes are letters. */
const FIRST_CHUNK = 40;
/** A GUID and a size of 64 bits, which counts them too. */
const HEADER_BYTES = 24;
const ALIGNMENT = 8;

/** Sony's Wave64: WAV with sizes of 64 bits. */
export const w64Decoder: AudioDecoder = { decode: decodeW64 };

async function decodeW64(bytes: Uint8Array, pcm: PcmSink): Promise<void> {
  const { encoding, missingBytes, ...audio } = openW64(bytes);
  if (encoding.kind === "mpeg") throw referenceInvalid("its W64 encoding is not supported (got MP3)");
  pcm.noteMissing(missingBytes);
  pushRawAudio({ ...audio, encoding, frames: null }, pcm);
}

function openW64(bytes: Uint8Array): WavFormat & ChunkData {
  const view = viewOf(bytes);
  let format: WavFormat | null = null;
  for (let place = FIRST_CHUNK; place + HEADER_BYTES <= bytes.length;) {
    const id = textAt(bytes, place, 4);
    const total = Number(view.getBigUint64(place + 16, true));
    const start = place + HEADER_BYTES;
    const size = total - HEADER_BYTES;
    if (id === "data" && format !== null)
      return { ...format, ...chunkData(bytes, { start, size: Math.max(0, size) }, false) };
    if (size < 0) throw referenceInvalid(`a W64 chunk has an impossible size (got ${total} bytes)`);
    if (id === "fmt ") format = readWavFormat(bytes, start, size, false);
    place = start + Math.ceil(size / ALIGNMENT) * ALIGNMENT;
  }
  throw referenceInvalid(format === null ? "its W64 format chunk is missing" : "its W64 data chunk is missing");
}
