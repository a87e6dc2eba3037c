import type { AudioDecoder } from "../decoder/audio-decoder.ts";
import type { DecodeLimits } from "../decoder/limits.ts";
import type { PcmSink } from "../decoder/pcm-sink.ts";
import { pushRawAudio } from "../pcm/raw-audio.ts";
import { openWav } from "./wav-file.ts";

/** WAV: PCM of 8 to 64 bits, float, A-law, µ-law, IMA and Microsoft ADPCM, MP3; also RIFX, RF64 and extensible. */
export const wavDecoder: AudioDecoder = { decode: decodeWav };

async function decodeWav(bytes: Uint8Array, pcm: PcmSink, limits: DecodeLimits): Promise<void> {
  const { encoding, missingBytes, ...audio } = openWav(bytes);
  pcm.noteMissing(missingBytes);
  if (encoding.kind === "mpeg") {
    const { mp3Decoder } = await import("../mp3/decoder.ts");
    await mp3Decoder.decode(audio.data, pcm, limits);
    return;
  }
  // The counts of files with frames of one sample each are often wrong, and needed in blocks only.
  const frames = "blockBytes" in encoding ? audio.frames : null;
  pushRawAudio({ ...audio, encoding, frames: frames === 0 ? null : frames }, pcm);
}
