import { lastSpeakerTag, startsWithSpeakerTag } from "../text/speaker-tags.ts";
import { chunkBySentences } from "../text/sentence-chunks.ts";
import { estimateSpeechLength } from "../text/speech-length.ts";
import { expectedFramesOf, type PlannedChunk } from "./join-stretches.ts";

/** The parts of a chunk are at most this share of it, so that there are two at least. */
const LARGEST_SHARE = 0.6;
/** Shorter parts are not asked for: about a word. */
const LEAST_SECONDS = 0.5;

/**
 * Divides a chunk that did not fit its limit into smaller ones, as `chunkBySentences` does; null when it is too short for that. The
 * last ends as the chunk did, with its pause.
 */
export function splitChunk(chunk: PlannedChunk): readonly PlannedChunk[] | null {
  const text = chunk.text.slice(chunk.repeatedTag.length);
  const seconds = estimateSpeechLength(text).seconds;
  const parts = chunkBySentences(text, Math.max(LEAST_SECONDS, seconds * LARGEST_SHARE));
  if (parts.length < 2) return null;
  let speaker = chunk.repeatedTag === "" ? null : chunk.repeatedTag.trim();
  return parts.map((part, index) => {
    const repeatedTag = speaker === null || startsWithSpeakerTag(part.text) ? "" : `${speaker} `;
    speaker = lastSpeakerTag(part.text) ?? speaker;
    const isLast = index + 1 === parts.length;
    return {
      text: repeatedTag + part.text,
      repeatedTag,
      end: isLast ? chunk.end : part.end,
      pauseAfterSeconds: isLast ? chunk.pauseAfterSeconds : null,
      expectedFrames: expectedFramesOf(part.text),
    };
  });
}
