import type { CodecDecoder } from "../codec/codec-decoder.ts";
import type { SpeechPlan } from "../prompt/speech-plan.ts";
import { ChunkedAudio } from "./chunked-audio.ts";
import { JoinedAudio } from "./joined-audio.ts";
import type { SpeechAudio, SpeechAudioOptions } from "./speech-audio.ts";
import type { ResolvedSpeechRequest } from "./speech-request.ts";

export interface AudioRequest extends Pick<ResolvedSpeechRequest, "trim" | "pausesMs" | "playbackSpeed"> {
  readonly plan: Pick<SpeechPlan, "method" | "chunks" | "leadingPauseSeconds">;
}

/**
 * Begins the audio of a planned request: the reference's where it is asked for, otherwise chunk by chunk. With `onAudio` it is
 * decoded while it is made.
 */
export function createSpeechAudio(
  decoder: CodecDecoder,
  { plan, trim, pausesMs, playbackSpeed }: AudioRequest,
  options: SpeechAudioOptions,
): SpeechAudio {
  const { leadingPauseSeconds } = plan;
  const isJoined = plan.method !== "sentence" && !trim && !hasPauses(plan, pausesMs);
  if (isJoined) return new JoinedAudio(decoder, options);
  return new ChunkedAudio(decoder, { trim, pausesMs, leadingPauseSeconds, playbackSpeed }, options);
}

function hasPauses({ chunks, leadingPauseSeconds }: AudioRequest["plan"], pausesMs: AudioRequest["pausesMs"]): boolean {
  if (leadingPauseSeconds > 0 || chunks.some(({ pauseAfterSeconds }) => (pauseAfterSeconds ?? 0) > 0)) return true;
  return chunks.slice(0, -1).some(({ end }) => end !== "text" && pausesMs[end] > 0);
}
