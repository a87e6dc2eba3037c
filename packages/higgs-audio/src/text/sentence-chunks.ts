import { type BreakKind, BreakPlaces } from "./break-places.ts";
import { estimateSpeechLength } from "./speech-length.ts";

/** A chunk of a text, without blanks around it. */
export interface SentenceChunk {
  readonly text: string;
  /** The place behind it; `text` for the last. */
  readonly end: Exclude<BreakKind, "character" | "word" | "line"> | "text";
}

/** Chunks aim at this part of the longest. */
const TARGET_SHARE = 2 / 3;
/** Shorter ones are spoken with their neighbors: the model needs a few words to find its voice. */
const SHORT_SECONDS = 4;
const SHORT_SHARE_OF_TARGET = 1 / 3;
/** No word takes longer, so no word is divided that does not, however short chunks have to be. */
const ENDLESS_SECONDS = 3;
/** What counts against a chunk, where one that is empty costs 1 for its length. */
const SHORT_COST = 2;
/** A paragraph or a turn that ends within a chunk. */
const CROSSING_COST = 1;
const BREAK_COST: Readonly<Record<BreakKind, number>> = {
  character: 16,
  word: 4,
  line: 1,
  clause: 1,
  sentence: 0,
  paragraph: 0,
  turn: 0,
};

/** What a part that is too long is divided at, best first. */
const LEVELS: readonly BreakKind[] = ["sentence", "clause", "line", "word", "character"];

interface Unit {
  readonly start: number;
  readonly end: number;
  readonly seconds: number;
}

/**
 * Divides a text, in any language, into chunks of about two thirds of the longest: at the ends of paragraphs, turns and
 * sentences; in a sentence that is too long alone after clauses, then between words, and in an endless word between characters.
 * The chunks, joined, are the text up to blanks (docs/SPEECH.md, "Where a text is cut").
 *
 * @param maxSeconds of the estimated speech of a chunk, above 0; a word that takes longer is a chunk of its own
 */
export function chunkBySentences(text: string, maxSeconds: number): SentenceChunk[] {
  const places = new BreakPlaces(text);
  const units = divide(text, places, { start: 0, end: text.length, maxSeconds, level: 0 });
  const ends = bestEnds(units, places, maxSeconds);
  let start = 0;
  return ends.map((end) => {
    const chunk = text.slice(start, end).trim();
    start = end;
    return { text: chunk, end: end === text.length ? "text" : endOf(places.kindAt(end)) };
  });
}

function endOf(kind: BreakKind): SentenceChunk["end"] {
  return kind === "character" || kind === "word" || kind === "line" ? "clause" : kind;
}

interface Part {
  readonly start: number;
  readonly end: number;
  readonly maxSeconds: number;
  /** Index in `LEVELS`. */
  readonly level: number;
}

/** The sentences of a part of a text; those that are too long are divided further. */
function divide(text: string, places: BreakPlaces, { start, end, maxSeconds, level }: Part): Unit[] {
  const kind = LEVELS[level];
  const whole = { start, end, seconds: secondsOf(text, start, end) };
  if (kind === undefined || (kind === "character" && whole.seconds <= ENDLESS_SECONDS)) return [whole];
  const units: Unit[] = [];
  let from = start;
  for (const to of [...places.between(start, end, kind), end]) {
    const seconds = secondsOf(text, from, to);
    if (seconds <= maxSeconds) units.push({ start: from, end: to, seconds });
    else units.push(...divide(text, places, { start: from, end: to, maxSeconds, level: level + 1 }));
    from = to;
  }
  return units;
}

function secondsOf(text: string, start: number, end: number): number {
  return estimateSpeechLength(text.slice(start, end)).seconds;
}

/** Where the chunks end that cost least together. */
function bestEnds(units: readonly Unit[], places: BreakPlaces, maxSeconds: number): number[] {
  const targetSeconds = maxSeconds * TARGET_SHARE;
  const shortSeconds = Math.min(SHORT_SECONDS, targetSeconds * SHORT_SHARE_OF_TARGET);
  /** Of the cheapest chunks up to each unit, and the unit that the last of them begins with. */
  const costs = [0];
  const firsts = [0];
  for (let last = 1; last <= units.length; last++) {
    const endCost = last === units.length ? 0 : BREAK_COST[places.kindAt(units[last - 1]?.end ?? 0)];
    let [best, bestFirst, seconds, crossings] = [Number.POSITIVE_INFINITY, last - 1, 0, 0];
    for (let first = last - 1; first >= 0; first--) {
      const unit = units[first];
      if (unit === undefined) break;
      seconds += unit.seconds;
      if (first < last - 1) {
        if (seconds > maxSeconds) break;
        crossings += isChunkEnd(places.kindAt(unit.end)) ? 1 : 0;
      }
      const length = (seconds / targetSeconds - 1) ** 2 + (seconds < shortSeconds ? SHORT_COST : 0);
      const cost = (costs[first] ?? 0) + length + crossings * CROSSING_COST + endCost;
      if (cost < best) [best, bestFirst] = [cost, first];
    }
    costs.push(best);
    firsts.push(bestFirst);
  }
  const ends: number[] = [];
  for (let last = units.length; last > 0; last = firsts[last] ?? 0) ends.push(units[last - 1]?.end ?? 0);
  return ends.toReversed();
}

function isChunkEnd(kind: BreakKind): boolean {
  return kind === "paragraph" || kind === "turn";
}
