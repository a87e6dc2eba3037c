import { columnsOf, type TokenEnd } from "./caption-tokens.ts";
import { type CaptionedChunk, type TimedToken, timedTokens } from "./timed-tokens.ts";

/** What is shown at one time. */
export interface Cue {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly speaker: string | null;
  /** One or two. */
  readonly lines: readonly string[];
}

/** What readers are used to: two lines of so many columns, for so long. */
const MAX_COLUMNS = 42;
const MIN_SECONDS = 1;
const MAX_SECONDS = 7;
/** Silence over which no caption stays. */
const MAX_PAUSE_SECONDS = 1;

/** What a cue costs in itself, what an end in the middle of a sentence adds, and each second that it is too short. */
const CUE_COST = 10;
const END_COST: Readonly<Record<TokenEnd, number>> = { sentence: 0, clause: 6, word: 14 };
const SHORT_COST = 40;
const LONG_COST = 100;

/**
 * Divides speech into captions: up to two lines of 42 columns, 1 to 7 seconds each where that is possible, ending with sentences and
 * clauses where they can. None holds two speakers.
 *
 * @param fileSeconds length of the audio
 */
export function makeCues(chunks: readonly CaptionedChunk[], fileSeconds: number): Cue[] {
  const stretches = stretchesOf(timedTokens(chunks, MAX_COLUMNS));
  const cues = stretches.flatMap(cutStretch);
  return cues.map((cue, index) => lasting(cue, cues[index + 1]?.startSeconds ?? fileSeconds));
}

/** Tokens of one speaker without a long silence. */
function stretchesOf(tokens: readonly TimedToken[]): TimedToken[][] {
  const stretches: TimedToken[][] = [];
  for (const token of tokens) {
    const last = stretches.at(-1)?.at(-1);
    const goesOn =
      last !== undefined && last.speaker === token.speaker && token.startSeconds - last.endSeconds <= MAX_PAUSE_SECONDS;
    if (goesOn) stretches.at(-1)?.push(token);
    else stretches.push([token]);
  }
  return stretches;
}

/** The cheapest way to cut a stretch, found from its beginning on. */
function cutStretch(tokens: readonly TimedToken[]): Cue[] {
  const stretch = new Stretch(tokens);
  const best: { readonly cost: number; readonly start: number }[] = [{ cost: 0, start: 0 }];
  for (let end = 1; end <= tokens.length; end++) {
    let choice = { cost: Number.POSITIVE_INFINITY, start: end - 1 };
    for (let start = end - 1; start >= 0; start--) {
      const cost = stretch.costOf(start, end);
      if (cost === Number.POSITIVE_INFINITY) break;
      const total = (best[start]?.cost ?? 0) + cost;
      if (total < choice.cost) choice = { cost: total, start };
    }
    best.push(choice);
  }
  const cues: Cue[] = [];
  for (let end = tokens.length; end > 0; end = best[end]?.start ?? 0)
    cues.push(stretch.cueOf(best[end]?.start ?? 0, end));
  return cues.toReversed();
}

/** What cues of a stretch would be like, each from token `start` to before token `end`. */
class Stretch {
  readonly #tokens: readonly TimedToken[];
  /** Columns before each token. */
  readonly #columns: number[] = [0];

  constructor(tokens: readonly TimedToken[]) {
    this.#tokens = tokens;
    for (const { text } of tokens) this.#columns.push((this.#columns.at(-1) ?? 0) + columnsOf(text));
  }

  /** Infinite for what cannot be one cue. */
  costOf(start: number, end: number): number {
    const last = this.#tokens[end - 1];
    const seconds = (last?.endSeconds ?? 0) - (this.#tokens[start]?.startSeconds ?? 0);
    const isOne = end - start === 1;
    if (!isOne && (seconds > MAX_SECONDS || this.#lineBreak(start, end) === null)) return Number.POSITIVE_INFINITY;
    const isCutOff = end < this.#tokens.length;
    const tooShort = Math.max(0, MIN_SECONDS - seconds) * SHORT_COST;
    const tooLong = seconds > MAX_SECONDS ? LONG_COST : 0;
    return CUE_COST + tooShort + tooLong + (isCutOff ? END_COST[last?.end ?? "word"] : 0);
  }

  cueOf(start: number, end: number): Cue {
    const cut = this.#lineBreak(start, end) ?? end;
    const lines = cut === end ? [this.#line(start, end)] : [this.#line(start, cut), this.#line(cut, end)];
    const { startSeconds = 0, speaker = null } = this.#tokens[start] ?? {};
    return { startSeconds, endSeconds: this.#tokens[end - 1]?.endSeconds ?? 0, speaker, lines };
  }

  /**
   * The first token of the second line, `end` when one line is enough, null when two are not. The lines are about as long as each other,
   * and the upper one is rather the shorter one.
   */
  #lineBreak(start: number, end: number): number | null {
    if (this.#width(start, end) <= MAX_COLUMNS) return end;
    let best: number | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (let cut = end - 1; cut > start; cut--) {
      const [upper, lower] = [this.#width(start, cut), this.#width(cut, end)];
      if (lower > MAX_COLUMNS) break;
      if (upper > MAX_COLUMNS) continue;
      const cost = Math.abs(upper - lower) + (upper > lower ? 3 : 0) + END_COST[this.#tokens[cut - 1]?.end ?? "word"];
      if (cost < least) [best, least] = [cut, cost];
    }
    return best;
  }

  /** Without the space at the end. */
  #width(start: number, end: number): number {
    const columns = (this.#columns[end] ?? 0) - (this.#columns[start] ?? 0);
    return this.#tokens[end - 1]?.text.endsWith(" ") === true ? columns - 1 : columns;
  }

  #line(start: number, end: number): string {
    return this.#tokens
      .slice(start, end)
      .map(({ text }) => text)
      .join("")
      .trim();
  }
}

/** Long enough to be read where the next one leaves room, and not longer than is usual. */
function lasting(cue: Cue, nextSeconds: number): Cue {
  const least = Math.min(cue.startSeconds + MIN_SECONDS, nextSeconds);
  return { ...cue, endSeconds: Math.min(Math.max(cue.endSeconds, least), cue.startSeconds + MAX_SECONDS) };
}
