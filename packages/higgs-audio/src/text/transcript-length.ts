import { divideAtMarks } from "./marks.ts";
import { estimateSpeechLength, type SpeechLength } from "./speech-length.ts";

/**
 * How long the speech of a whole transcript is, with the pauses that its marks ask for.
 *
 * @throws {HiggsError} INVALID_INPUT when a pause is too long
 */
export function estimateTranscriptLength(transcript: string): SpeechLength {
  const { leadingPauseSeconds, stretches } = divideAtMarks(transcript);
  let [seconds, leastSeconds] = [leadingPauseSeconds, leadingPauseSeconds];
  for (const { text, pauseAfterSeconds } of stretches) {
    const length = estimateSpeechLength(text);
    seconds += length.seconds + (pauseAfterSeconds ?? 0);
    leastSeconds += length.leastSeconds + (pauseAfterSeconds ?? 0);
  }
  return { seconds, leastSeconds };
}
