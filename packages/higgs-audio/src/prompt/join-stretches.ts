import { AUDIO_SHAPE } from "../checkpoint/released-config.ts";
import type { MarkedStretch } from "../text/marks.ts";
import { lastSpeakerTag, startsWithSpeakerTag } from "../text/speaker-tags.ts";
import { isAtSentenceEnd } from "../text/sentences.ts";
import { estimateSpeechLength } from "../text/speech-length.ts";
import type { ChunkEnd, StretchPlan } from "./plan-stretch.ts";

/** A part of the text that is spoken in one go. */
export interface PlannedChunk {
  /** Of the user turn, as the model gets it. */
  readonly text: string;
  /** The beginning of `text` that repeats who speaks, where a turn goes on from the chunk before: `"[SPEAKER0] "`, else empty. */
  readonly repeatedTag: string;
  readonly end: ChunkEnd;
  /** Exact silence that the text asks for behind the chunk; null leaves it to `end`. */
  readonly pauseAfterSeconds: number | null;
  /** Estimate of its speech, 25 a second, at least 1. */
  readonly expectedFrames: number;
}

export interface PlannedChapter {
  readonly title: string;
  /** The chunk that it begins with. */
  readonly chunkIndex: number;
}

export interface PlannedStretch extends MarkedStretch {
  readonly plan: StretchPlan;
}

export interface JoinedStretches {
  readonly text: string;
  readonly chunks: readonly PlannedChunk[];
  readonly chapters: readonly PlannedChapter[];
}

/** What stands between two parts of the text that is spoken, by the end of the first. */
const SEPARATOR: Readonly<Record<ChunkEnd, string>> = {
  clause: " ",
  sentence: " ",
  paragraph: "\n\n",
  turn: "\n",
  text: "",
};

/**
 * Puts the stretches of a text together.
 *
 * @param options repeatsTags: whether each chunk says who speaks; else only the first of a stretch
 */
export function joinStretches(
  stretches: readonly PlannedStretch[],
  options: { readonly repeatsTags: boolean },
): JoinedStretches {
  const chunks: PlannedChunk[] = [];
  const chapters: PlannedChapter[] = [];
  let text = "";
  let speaker: string | null = null;
  for (const [index, stretch] of stretches.entries()) {
    const { plan, chapter, pauseAfterSeconds } = stretch;
    if (chapter !== null) chapters.push({ title: chapter, chunkIndex: chunks.length });
    text += `${SEPARATOR[chunks.at(-1)?.end ?? "text"]}${plan.text}`;
    for (const [at, chunk] of plan.chunks.entries()) {
      const isLast = at + 1 === plan.chunks.length;
      const isGoingOn = !startsWithSpeakerTag(chunk.text) && (options.repeatsTags || (at === 0 && index > 0));
      const repeatedTag = isGoingOn && speaker !== null ? `${speaker} ` : "";
      speaker = lastSpeakerTag(chunk.text) ?? speaker;
      chunks.push({
        text: repeatedTag + chunk.text,
        repeatedTag,
        end: isLast ? endOfStretch(stretch, stretches[index + 1]) : chunk.end,
        pauseAfterSeconds: isLast ? pauseAfterSeconds : null,
        expectedFrames: expectedFramesOf(chunk.text),
      });
    }
  }
  return { text, chunks, chapters };
}

/** Whether a paragraph ends between two stretches. */
export function isParagraphEnd(stretch: MarkedStretch, next: MarkedStretch): boolean {
  return next.chapter !== null || /\n\s*\n\s*$/.test(stretch.text) || /^\s*\n\s*\n/.test(next.text);
}

function endOfStretch(stretch: PlannedStretch, next: PlannedStretch | undefined): ChunkEnd {
  if (next === undefined) return "text";
  if (startsWithSpeakerTag(next.text)) return "turn";
  if (isParagraphEnd(stretch, next)) return "paragraph";
  return isAtSentenceEnd(stretch.plan.text) ? "sentence" : "clause";
}

/** Estimate of the speech of a text, at least 1. */
export function expectedFramesOf(text: string): number {
  return Math.max(1, Math.ceil(estimateSpeechLength(text).seconds * AUDIO_SHAPE.framesPerSecond));
}
