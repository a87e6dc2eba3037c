import { AUDIO_SHAPE } from "../checkpoint/released-config.ts";
import { estimateSpeechLength } from "../text/speech-length.ts";
import { planSpokenText, type TextRequest } from "./plan-text.ts";

/** What a chunk ends with, which decides the pause behind it. */
export type ChunkEnd = "clause" | "sentence" | "paragraph" | "turn" | "text";

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

/** A request's text, ready to be spoken chunk by chunk. */
export interface SpeechPlan {
  /** All that is spoken, marks removed. The chunks' texts, without repeated tags, are this up to whitespace. */
  readonly text: string;
  /** How it was divided; what automatic became. */
  readonly method: "none" | "word" | "speaker" | "sentence";
  /** Silence before the first chunk. */
  readonly leadingPauseSeconds: number;
  /** At least one. */
  readonly chunks: readonly PlannedChunk[];
  readonly chapters: readonly PlannedChapter[];
  /** What was left out, and what may be a mistake. */
  readonly warnings: readonly string[];
}

/** What the speech has to fit. */
export interface SpeechLimits {
  /** Frames that one chunk may take. */
  readonly maxFramesPerChunk: number;
  /** Whether speech that ends before its text does is wanted nevertheless. */
  readonly allowTruncated: boolean;
}

/**
 * Divides a request's text into chunks.
 *
 * @throws {HiggsError} INVALID_INPUT when nothing is left to speak
 */
export function planSpeech(request: TextRequest, _limits: SpeechLimits): SpeechPlan {
  const { text, chunks, warnings } = planSpokenText(request);
  return {
    text,
    method: request.chunkMethod ?? "none",
    leadingPauseSeconds: 0,
    chunks: chunks.map((chunk, index) => ({
      text: chunk,
      repeatedTag: "",
      end: index + 1 === chunks.length ? "text" : request.chunkMethod === "speaker" ? "turn" : "clause",
      pauseAfterSeconds: null,
      expectedFrames: expectedFramesOf(chunk),
    })),
    chapters: [],
    warnings,
  };
}

function expectedFramesOf(text: string): number {
  return Math.max(1, Math.ceil(estimateSpeechLength(text).seconds * AUDIO_SHAPE.framesPerSecond));
}
