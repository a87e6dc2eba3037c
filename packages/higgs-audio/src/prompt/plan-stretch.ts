import { chunkTranscript, type ReferenceChunkMethod, splitTurns } from "../text/chunk.ts";
import { normalizePart, withSentenceEnd } from "../text/normalize.ts";
import { chunkBySentences } from "../text/sentence-chunks.ts";
import { isAtSentenceEnd } from "../text/sentences.ts";
import { isSpeakable } from "../text/speakable.ts";

/** What a chunk ends with, which decides the pause behind it. */
export type ChunkEnd = "clause" | "sentence" | "paragraph" | "turn" | "text";

/** How a stretch of text between two marks is divided. */
export interface StretchRules {
  readonly method: ReferenceChunkMethod | "sentence";
  readonly normalize: boolean;
  readonly chunkMaxWordNum: number;
  readonly chunkMaxNumTurns: number;
  /** Estimated speech of a chunk of whole sentences. */
  readonly maxSecondsPerChunk: number;
  /** Whether a sentence ends with the stretch, so that a missing full stop is added (spec model §5.5, step 8). */
  readonly isEnd: boolean;
}

export interface StretchPlan {
  /** What is spoken of it; empty for nothing. */
  readonly text: string;
  readonly chunks: readonly StretchChunk[];
  /** Turns, and for whole sentences paragraphs, spoken or not. */
  readonly turns: readonly string[];
  /** The chunks that it was divided into, spoken or not. */
  readonly allChunks: readonly string[];
}

export interface StretchChunk {
  readonly text: string;
  /** The last has `text`. */
  readonly end: ChunkEnd;
}

const BLANK_LINES = /\n[^\S\n]*\n\s*|\u2029\s*/;
/** A letter, a digit or a sign, and no punctuation. */
const UNENDED = /[\p{L}\p{N}\p{M}\p{S}]$/u;

/**
 * Divides a stretch of text into chunks. Turns and chunks without anything to speak are left out: the model would produce noise
 * for them, up to its limit.
 */
export function planStretch(stretch: string, rules: StretchRules): StretchPlan {
  const turns = turnsOf(stretch, rules);
  const spokenTurns = turns.filter(({ text }) => isSpeakable(text));
  const joined = spokenTurns.map(({ text, separator }, index) => (index === 0 ? text : separator + text)).join("");
  const isEnded = !rules.normalize || !rules.isEnd || joined === "";
  const text = isEnded ? joined : withSentenceEnd(joined);
  const allChunks = text === "" ? [] : divide(text, rules);
  const chunks = allChunks.filter((chunk) => isSpeakable(chunk.text));
  return {
    text: chunks.length === allChunks.length ? text : chunks.map((chunk) => chunk.text).join(" "),
    chunks: chunks.map((chunk, index) => (index + 1 === chunks.length ? { ...chunk, end: "text" } : chunk)),
    turns: turns.map((turn) => turn.text),
    allChunks: allChunks.map((chunk) => chunk.text),
  };
}

interface Turn {
  readonly text: string;
  /** What is between it and the one before. */
  readonly separator: "\n" | "\n\n";
}

/** Whole sentences are divided at paragraphs, which the reference's normalization joins. */
function turnsOf(stretch: string, { method, normalize }: StretchRules): Turn[] {
  const toText = (text: string) => (normalize ? normalizePart(text) : text);
  if (method !== "sentence") return splitTurns(toText(stretch)).map((text) => ({ text, separator: "\n" }));
  const turns = stretch.split(BLANK_LINES).flatMap((paragraph) =>
    splitTurns(toText(paragraph)).map((text, index) => ({
      text,
      separator: index === 0 ? ("\n\n" as const) : ("\n" as const),
    })),
  );
  if (!normalize) return turns;
  // Headings and turns may end a chunk, so each is ended as the whole text is.
  return turns.map((turn, index) =>
    index + 1 < turns.length && UNENDED.test(turn.text) ? { ...turn, text: withSentenceEnd(turn.text) } : turn,
  );
}

function divide(text: string, rules: StretchRules): StretchChunk[] {
  const { method, chunkMaxWordNum, chunkMaxNumTurns, maxSecondsPerChunk } = rules;
  if (method === "sentence") return chunkBySentences(text, maxSecondsPerChunk);
  const chunks = chunkTranscript(text, { method, maxWordNum: chunkMaxWordNum, maxNumTurns: chunkMaxNumTurns });
  return chunks.map((chunk) => ({ text: chunk, end: method === "speaker" ? "turn" : endOfWords(chunk) }));
}

/** The reference ends the last words of a paragraph with a blank line. */
function endOfWords(chunk: string): ChunkEnd {
  if (chunk.endsWith("\n\n")) return "paragraph";
  return isAtSentenceEnd(chunk) ? "sentence" : "clause";
}
