import type { CodecDecoder } from "../codec/codec-decoder.ts";
import { JoinedAudio } from "./joined-audio.ts";
import type { SpeechAudio, SpeechAudioOptions } from "./speech-audio.ts";

/** With `onAudio` the audio is decoded while it is made, otherwise once at the end. */
export function createSpeechAudio(decoder: CodecDecoder, options: SpeechAudioOptions): SpeechAudio {
  return new JoinedAudio(decoder, options);
}
