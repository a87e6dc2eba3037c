import { HiggsError } from "@higgs-worker/base";
import { AUDIO_SHAPE } from "../checkpoint/released-config.ts";
import type { ChunkMethod } from "../text/chunk.ts";
import { divideAtMarks, type MarkedStretch } from "../text/marks.ts";
import { isSpeakable } from "../text/speakable.ts";
import { speakerTagWarnings } from "../text/speaker-tags.ts";
import { estimateSpeechLength } from "../text/speech-length.ts";
import { isParagraphEnd, joinStretches, type PlannedChapter, type PlannedChunk } from "./join-stretches.ts";
import { planStretch } from "./plan-stretch.ts";

export type { PlannedChapter, PlannedChunk } from "./join-stretches.ts";
export type { ChunkEnd } from "./plan-stretch.ts";

/** The text of a request, and how it is divided. */
export interface TextRequest {
  /** As the user wrote it, with marks (`[pause 1.5s]`, `[chapter "Title"]`). */
  readonly transcript: string;
  readonly normalize: boolean;
  readonly chunkMethod: ChunkMethod;
  /** Words of a chunk for `word`. */
  readonly chunkMaxWordNum: number;
  /** Turns of a chunk for `speaker`. */
  readonly chunkMaxNumTurns: number;
}

/** A request's text, ready to be spoken chunk by chunk. */
export interface SpeechPlan {
  /** All that is spoken, marks removed. The chunks' texts, without repeated tags, are this up to blanks (`holdsWholeText`). */
  readonly text: string;
  /** How it was divided; what automatic became. */
  readonly method: Exclude<ChunkMethod, "auto">;
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

/** A text surely fits, and a chunk of whole sentences is made, up to this part of what a chunk may take: estimates may be wrong. */
const SURE_SHARE = 0.6;
/** Longest chunk of whole sentences by estimate: the model speaks longer texts less well. */
const MAX_CHUNK_SECONDS = 30;
/** However little a chunk may take, it has room for a word or two. */
const MIN_CHUNK_SECONDS = 1;

/**
 * Divides a request's text into chunks (docs/SPEECH.md). Control strings are taken as they are: refuse them first.
 *
 * @throws {HiggsError} INVALID_INPUT when nothing is left to speak, a pause is too long, or a chunk of the method that was asked for
 *   cannot fit its limit
 */
export function planSpeech(request: TextRequest, limits: SpeechLimits): SpeechPlan {
  const marked = divideAtMarks(request.transcript);
  const method = request.chunkMethod === "auto" ? automaticMethod(marked.stretches, limits) : request.chunkMethod;
  const stretches = marked.stretches
    .map((stretch, index) => {
      const next = marked.stretches[index + 1];
      const isEnd = next === undefined || isParagraphEnd(stretch, next);
      const rules = { ...request, method, isEnd, maxSecondsPerChunk: sentenceChunkSeconds(limits) };
      return { ...stretch, plan: planStretch(stretch.text, rules) };
    })
    .filter(({ plan }) => plan.chunks.length > 0);
  if (stretches.length === 0) {
    const reason = "it has nothing to speak (no letter or digit beside speaker tags and marks)";
    throw new HiggsError("INVALID_INPUT", "speak the transcript", reason);
  }
  const joined = joinStretches(stretches, { repeatsTags: method === "sentence" });
  const { allowTruncated, maxFramesPerChunk } = limits;
  if (!allowTruncated) refuseWhatCannotFit(joined.chunks, method, maxFramesPerChunk);
  const plans = stretches.map(({ plan }) => plan);
  const parts = method === "sentence" ? "paragraphs and turns" : "turns";
  const warnings = [
    ...marked.warnings,
    ...leftOut(
      parts,
      plans.flatMap(({ turns }) => turns),
    ),
    ...leftOut(
      "chunks",
      plans.flatMap(({ allChunks }) => allChunks),
    ),
    ...speakerTagWarnings(request.transcript),
  ];
  return { ...joined, leadingPauseSeconds: marked.leadingPauseSeconds, method, warnings };
}

/** As the reference does while that surely fits, else by sentences. */
function automaticMethod(stretches: readonly MarkedStretch[], limits: SpeechLimits): "none" | "sentence" {
  let seconds = 0;
  for (const { text } of stretches) seconds += estimateSpeechLength(text).seconds;
  return seconds <= sureSeconds(limits) ? "none" : "sentence";
}

function sureSeconds({ maxFramesPerChunk }: SpeechLimits): number {
  return (maxFramesPerChunk / AUDIO_SHAPE.framesPerSecond) * SURE_SHARE;
}

/** Longest estimated speech of a chunk of whole sentences. */
function sentenceChunkSeconds(limits: SpeechLimits): number {
  return Math.max(MIN_CHUNK_SECONDS, Math.min(MAX_CHUNK_SECONDS, sureSeconds(limits)));
}

function refuseWhatCannotFit(chunks: readonly PlannedChunk[], method: SpeechPlan["method"], maxFrames: number): void {
  const advice =
    method === "sentence"
      ? "raise it"
      : "raise it, or leave chunk_method out, so that the text is divided at its sentences";
  for (const [index, { text }] of chunks.entries()) {
    const leastFrames = Math.floor(estimateSpeechLength(text).leastSeconds * AUDIO_SHAPE.framesPerSecond);
    if (leastFrames <= maxFrames) continue;
    const what = chunks.length === 1 ? "it" : `chunk ${index + 1} of ${chunks.length}`;
    const sizes = `got at least ${leastFrames} frames of speech, limit ${maxFrames}`;
    const reason = `${what} does not fit max_new_tokens; ${advice} (${sizes})`;
    throw new HiggsError("INVALID_INPUT", "speak the whole transcript", reason);
  }
}

function leftOut(what: string, texts: readonly string[]): string[] {
  const left = texts.filter((text) => !isSpeakable(text)).length;
  if (left === 0) return [];
  const first = texts.findIndex((text) => !isSpeakable(text)) + 1;
  return [`Nothing to speak in ${left} of ${texts.length} ${what}, which were left out (the first is number ${first})`];
}
