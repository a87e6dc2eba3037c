import { endsShortened } from "./shortened-words.ts";
import { isSpeakable } from "./speakable.ts";

/** A sign that ends a sentence, with quotes, brackets and blanks behind it. */
const SENTENCE_END = /[\p{Sentence_Terminal}…｡][\p{Pe}\p{Pf}\p{Pi}"'*_]*\s*$/u;
const CLOSING_QUOTE_END = /[!?！？][\p{Pf}\p{Pe}"'»]+\s*$/u;
/** Who said it: `"What?" she asked`, `「本当に？」と言った`. */
const QUOTE_GOES_ON = /^(?:\p{Ll}|と|って)/u;
/** A quote or bracket that closes what came before, set off by a blank as in French. */
const CLOSING_START = /^[»”’›)\]}]+(?=[\s\p{P}]|$)/u;
/** A line that stands for itself: after a blank one, an item of a list, a heading, or a turn of a dialogue. */
const NEW_LINE_OF_ITS_OWN = /^(?:\s*[\r\n]|\s{0,8}(?:[-*•–]\s|#{1,6}\s|\d{1,3}[.)]\s|\[SPEAKER\p{Nd}+\]))/u;
const LIST_NUMBER = /^\s*[-*•]?\s*(?:\d{1,3}|\p{L})[.)]\s*$/u;

/** Longer than the signs and quotes that end any sentence, so that each test costs the same. */
const TAIL_LENGTH = 64;

let segmenter: Intl.Segmenter | undefined;

/**
 * The sentences of a text, each with the blanks behind it; joined they give the text again. ICU's rules, and ours for what they
 * take for an end but is none: shortened words, numbers of lists, lines broken within sentences. The last may be incomplete.
 */
export function splitSentences(text: string): string[] {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "sentence" });
  const sentences: string[] = [];
  let start = 0;
  let isSpoken = false;
  for (const { index, segment } of segmenter.segment(text)) {
    if (index > start && isSpoken && !goesOn(text.slice(start, index), segment)) {
      sentences.push(text.slice(start, index));
      start = index;
      isSpoken = false;
    }
    isSpoken ||= isSpeakable(segment);
  }
  sentences.push(text.slice(start));
  return sentences;
}

/** Whether a text ends as a sentence does: if nothing follows, it is one. */
export function isAtSentenceEnd(text: string): boolean {
  return SENTENCE_END.test(text.slice(-TAIL_LENGTH)) && isSpeakable(text) && !goesOn(text, "");
}

/** Whether a sentence with something to speak goes on with what follows it, although ICU's rules end it. */
function goesOn(sentence: string, next: string): boolean {
  const tail = sentence.slice(-TAIL_LENGTH);
  if (/[\r\n]$/.test(tail) && NEW_LINE_OF_ITS_OWN.test(next)) return false;
  if (sentence.length <= TAIL_LENGTH && LIST_NUMBER.test(sentence)) return true;
  const end = sentence.trimEnd().slice(-TAIL_LENGTH);
  // Lines are broken within sentences, too.
  if (!SENTENCE_END.test(end)) return next !== "" && !/\n\s*\n\s*$/.test(tail);
  if (CLOSING_START.test(next)) return true;
  if (CLOSING_QUOTE_END.test(end) && QUOTE_GOES_ON.test(next)) return true;
  return endsShortened(end, next);
}
