import { estimateSpeechLength } from "@higgs-worker/higgs-audio/requests";
import { columnsOf, endOf, tokensOf, type TokenEnd } from "./caption-tokens.ts";

/** A part of the text that was spoken, and where it is heard in the file. */
export interface CaptionedChunk {
  /** With `[SPEAKERn]` where somebody begins to speak. */
  readonly text: string;
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** A piece of text, with a space behind it where one belongs, at the time when it is likely to be heard. */
export interface TimedToken {
  readonly text: string;
  readonly end: TokenEnd;
  /** `SPEAKER0`; null when the text names nobody. */
  readonly speaker: string | null;
  readonly startSeconds: number;
  readonly endSeconds: number;
}

const SPEAKER_TAG = /\[(SPEAKER\d+)\]\s*/g;
/** Sounds keep their brackets, as captions for the deaf have them. */
const SOUND_TAG = /<\/?SE(?:_[se])?>/g;
const LAST_PUNCTUATION = /[\p{P}\s]+$/u;

/**
 * The text of all chunks as tokens. The times of chunks are exact; within one, each token gets a share by how long it takes to say. The
 * speaker stays until another one is named.
 */
export function timedTokens(chunks: readonly CaptionedChunk[], maxColumns: number): TimedToken[] {
  const timed: TimedToken[] = [];
  let speaker: string | null = null;
  for (const { text, startSeconds, endSeconds } of chunks) {
    const tokens: { text: string; speaker: string | null }[] = [];
    for (const turn of turnsOf(text, speaker)) {
      speaker = turn.speaker;
      for (const token of tokensOf(turn.text, maxColumns)) tokens.push({ text: token, speaker });
    }
    const weights = weightsOf(tokens.map((token) => token.text));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let before = 0;
    for (const [index, token] of tokens.entries()) {
      const { speaker } = token;
      const at = (weight: number) => startSeconds + (endSeconds - startSeconds) * (weight / total);
      const start = at(before);
      before += weights[index] ?? 0;
      const text = token.text.replaceAll(/\s+/gu, " ");
      const own = endOf(token.text);
      // The speech pauses between chunks.
      const end = own === "word" && index + 1 === tokens.length ? "clause" : own;
      timed.push({ text, speaker, end, startSeconds: start, endSeconds: at(before) });
    }
  }
  return timed;
}

function* turnsOf(
  text: string,
  before: string | null,
): Generator<{ readonly text: string; readonly speaker: string | null }> {
  const [first = "", ...parts] = spacedBehind(text.replaceAll(SOUND_TAG, "").trim()).split(SPEAKER_TAG);
  if (first.trim() !== "") yield { text: first, speaker: before };
  for (let i = 0; i < parts.length; i += 2) {
    const spoken = parts[i + 1] ?? "";
    if (spoken.trim() !== "") yield { text: spoken, speaker: parts[i] ?? null };
  }
}

/** With a space towards the next chunk, where the script has one. */
function spacedBehind(text: string): string {
  return columnsOf(Array.from(text).at(-1) ?? "") === 1 ? `${text} ` : text;
}

/** The pause behind the last token is not part of the chunk. */
function weightsOf(tokens: readonly string[]): number[] {
  const weights = tokens.map(
    (token, index) =>
      estimateSpeechLength(index + 1 === tokens.length ? token.replace(LAST_PUNCTUATION, "") : token).seconds,
  );
  return weights.some((weight) => weight > 0) ? weights : tokens.map(({ length }) => length);
}
