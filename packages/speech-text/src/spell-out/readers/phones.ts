import type { NumberWords } from "../number-words.ts";
import type { Reader } from "../reader.ts";

/** No digit follows, nor another group of them. */
const END = "(?![\\p{Script=Latin}\\d]|[-./][\\d])";

/** Telephone numbers as they are written: with a country code, with a leading zero, or in the groups of North America. */
const PHONE_PATTERNS = [
  String.raw`\+\d{1,3}(?:[ .\-/\u00A0]?\(?\d{1,5}\)?){2,8}`,
  String.raw`(?:1[-. ])?\(\d{2,4}\) ?\d{3,5}[-. ]\d{4}`,
  String.raw`(?:1[-.])?\d{3}([-.])\d{3}\1\d{4}`,
  String.raw`\d{3}-\d{4}`,
  String.raw`0\d{1,4}(?:[ \-/\u00A0]\d{2,8}){1,5}`,
  // Cards.
  String.raw`\d{4}(?:[ -]\d{4}){3}`,
];

/** Numbers that would be taken for something else in other languages: groups of three that a number has too, eleven digits without groups. */
const NATIONAL_PATTERNS: Readonly<Record<string, readonly string[]>> = {
  es: [String.raw`[6-9]\d{2} \d{3} \d{3}`],
  pt: [String.raw`[29]\d{2} \d{3} \d{3}`],
  it: [String.raw`3\d{2} \d{3} ?\d{4}`],
  zh: [String.raw`1[3-9]\d{9}`],
  ko: [String.raw`1[5-8]\d\d-\d{4}`],
};

const MIN_DIGITS = 7;
const MAX_DIGITS = 16;

/** Digit by digit or, where that is usual, in pairs; with a pause between the groups. */
export function phoneReaders(words: NumberWords): readonly Reader[] {
  const { locale, plus, space } = words.rules;
  const say = (match: RegExpExecArray): string | null => {
    const groups = match[0].match(/\d+/gu) ?? [];
    const length = groups.join("").length;
    if (length < MIN_DIGITS || length > MAX_DIGITS) return null;
    const spoken = groups.map((group) => sayGroup(group, words)).join(space === "" ? "、" : ", ");
    return match[0].startsWith("+") ? `${plus}${space}${spoken}` : spoken;
  };
  const patterns = [...PHONE_PATTERNS, ...(NATIONAL_PATTERNS[new Intl.Locale(locale).language] ?? [])];
  return patterns.map((source) => ({ pattern: new RegExp(`${source}${END}`, "uy"), say }));
}

function sayGroup(group: string, words: NumberWords): string {
  const { pairsInPhones = false, phoneDigits, digits } = words.rules;
  if (pairsInPhones && group.length === 2 && !group.startsWith("0")) return words.cardinal(Number(group));
  return words.digits(group, phoneDigits ?? digits);
}
