import type { StepResult } from "../text-step.ts";

/**
 * Characters without a form of their own: control characters, soft hyphens, zero-width blanks, directions, variants, tags, fillers,
 * places of objects. A model reads each of them as noise within a word.
 */
const INVISIBLE = /(?![\t-\r\u0085])\p{Cc}|(?![\u200C\u200D])\p{Default_Ignorable_Code_Point}|[\uFFF9-\uFFFC]/gu;
/** Joiners shape letters in the scripts of Iran and India; elsewhere they are as invisible as the others. */
const JOINER_WITHOUT_USE =
  /(?<=^|[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Common}])[\u200C\u200D]/gu;
/** Blocks of marks that any letter may bear; those of a script's own are part of its letters. */
const MARK_RANGES = String.raw`[\u0300-\u036F\u0483-\u0489\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF\uFE20-\uFE2F]`;
const STACKED_MARKS = new RegExp(String.raw`(\P{M}?)(${MARK_RANGES}{3,})`, "gu");
const MARK = new RegExp(MARK_RANGES, "gu");
/** More than any language stacks on what Unicode composes already. */
const MAX_MARKS = 2;

/** Leaves out what is not seen, and the marks of letters that have been decorated with stacks of them. */
export function cleanCharacters(text: string): StepResult {
  const visible = text.replaceAll(INVISIBLE, "").replaceAll(JOINER_WITHOUT_USE, "").replaceAll("\u2800", " ");
  return { text: visible.replaceAll(STACKED_MARKS, withoutStack), warnings: [] };
}

function withoutStack(letter: string, base: string, marks: string): string {
  // Long stacks need not be composed to be known as such.
  if (marks.length > 16) return base;
  const left = letter.normalize("NFC").match(MARK)?.length ?? 0;
  return left > MAX_MARKS ? base : letter;
}
