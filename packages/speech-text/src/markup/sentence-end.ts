/** Marks for silence at the end of a text, behind which nothing more is spoken. */
const TRAILING_MARKS = /(?:\s*\[pause[^[\]]{0,60}\])+\s*$/u;
/** Closing quotes and brackets, behind which a sentence has ended as well as before them. */
const TRAILING_CLOSERS = /[\p{Pe}\p{Pf}\p{Pi}"'*_\s]+$/u;
/** What nothing more is wanted behind: a sentence's end, or a sign that leads on. */
const ENDED = /[\p{Sentence_Terminal}:;,،؛；：、…—–]$/u;
const SPOKEN = /[\p{L}\p{N}]/u;

/** Scripts whose sentences end otherwise than with a full stop, by the last letter. */
const STOPS: readonly (readonly [script: RegExp, stop: string])[] = [
  [/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u, "。"],
  [/[\p{Script=Devanagari}\p{Script=Bengali}]/u, "।"],
  [/\p{Script=Arabic}/u, "."],
  // No sign ends sentences in these.
  [/[\p{Script=Thai}\p{Script=Lao}]/u, ""],
];

/** Characters at the end of a text that are looked at, so that no pattern searches long ones again and again. */
const TAIL_LENGTH = 400;

/**
 * A text as a sentence: with the full stop of its script unless it ends with a sign already, or nothing at its end is spoken. For
 * headings, items and cells, which are written without one.
 */
export function withSentenceEnd(text: string): string {
  const tail = text.slice(-TAIL_LENGTH);
  const marks = TRAILING_MARKS.exec(tail)?.[0] ?? "";
  const words = tail.slice(0, tail.length - marks.length).trimEnd();
  if (!SPOKEN.test(words)) return text;
  const bare = words.replace(TRAILING_CLOSERS, "");
  if (ENDED.test(bare) || ENDED.test(words)) return text;
  const last = lastLetter(bare);
  const stop = STOPS.find(([script]) => script.test(last))?.[1] ?? ".";
  const end = text.length - tail.length + words.length;
  return `${text.slice(0, end)}${stop}${marks}`;
}

/** The last letter; a text that ends with digits goes by the letter before them. */
function lastLetter(text: string): string {
  return /\p{L}(?=\P{L}*$)/u.exec(text)?.[0] ?? "";
}
