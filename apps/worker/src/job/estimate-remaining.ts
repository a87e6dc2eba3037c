import type { SpeechProgress } from "@higgs-worker/higgs-audio";
import { AUDIO_SHAPE, estimateTranscriptLength } from "@higgs-worker/higgs-audio/requests";

/** A chunk that takes longer than expected counts as nearly done, not as done. */
const MOST_OF_A_CHUNK = 0.95;

/**
 * Estimated seconds of work left, from the speed so far and the length of finished chunks, or of the text before the first
 * is finished. Null before the first frame that is
 * spoken now.
 */
export function estimateRemainingSeconds(progress: SpeechProgress, transcript: string): number | null {
  const { chunkIndex, chunkCount, resumedChunks, frames, audioSeconds, elapsedMs } = progress;
  if (frames === 0) return null;
  const doneSeconds = audioSeconds - frames / AUDIO_SHAPE.framesPerSecond;
  const secondsAChunk =
    chunkIndex > 0 ? doneSeconds / chunkIndex : estimateTranscriptLength(transcript).seconds / chunkCount;
  const shareOfChunk = Math.min(frames / AUDIO_SHAPE.framesPerSecond / Math.max(secondsAChunk, 0.1), MOST_OF_A_CHUNK);
  const chunksDone = chunkIndex + shareOfChunk;
  // What was finished before took no time now.
  const chunksSpoken = chunksDone - resumedChunks;
  return chunksSpoken <= 0 ? null : (elapsedMs / 1000 / chunksSpoken) * (chunkCount - chunksDone);
}
