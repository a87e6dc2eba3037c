import type { AudioEncoder, AudioFormat, StreamEncoder, StreamFormat } from "./audio-encoder.ts";
import { flacEncoder } from "./flac/encoder.ts";
import { mp3Encoder } from "./mp3/encoder.ts";
import { opusEncoder, webmEncoder } from "./opus/encoder.ts";
import { alawEncoder, ulawEncoder } from "./pcm/companded-encoder.ts";
import { pcmEncoder } from "./pcm/encoder.ts";
import { wavEncoder } from "./wav/encoder.ts";

const ENCODERS: Readonly<Record<AudioFormat, AudioEncoder>> = {
  wav: wavEncoder,
  mp3: mp3Encoder,
  flac: flacEncoder,
  opus: opusEncoder,
  pcm: pcmEncoder,
  ulaw: ulawEncoder,
  alaw: alawEncoder,
};

/** The encoder of a format of whole files. */
export function encoderFor(format: AudioFormat): AudioEncoder {
  return ENCODERS[format];
}

/** The encoder of a format of streams. */
export function streamEncoderFor(format: StreamFormat): StreamEncoder {
  return format === "webm" ? webmEncoder : ENCODERS[format];
}
