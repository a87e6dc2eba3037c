import type { Agreement, UnitWords } from "../language-rules.ts";

/** What a number before a noun of a Romance language agrees with, as far as the noun's end tells. */
export interface NounEndings {
  readonly feminine: RegExp;
  /** Masculine all the same. */
  readonly exceptions: RegExp;
  /** Words that are no nouns: conjunctions, prepositions, verbs. */
  readonly notNouns: ReadonlySet<string>;
}

export function agreementByNoun(after: string, { feminine, exceptions, notNouns }: NounEndings): Agreement {
  if (!/^\p{Ll}{2,}$/u.test(after) || notNouns.has(after)) return "alone";
  return feminine.test(after) && !exceptions.test(after) ? "feminine" : "masculine";
}

export function masculineUnit(one: string, many: string): UnitWords {
  return { one, many, agreement: "masculine" };
}

export function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(" "));
}
