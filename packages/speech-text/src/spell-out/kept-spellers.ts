import type { SpokenLanguage } from "../language/language-tag.ts";
import { chooseRules } from "./languages/choose-rules.ts";
import { NumberWords } from "./number-words.ts";
import { loadRules } from "./rbnf/load-rules.ts";
import { Speller } from "./speller.ts";

/** Jobs of one endpoint have few languages; tags come from anywhere, so their number is bounded. */
const MAX_KEPT = 16;

/** By tag: a speller is a hundred patterns. */
const kept = new Map<string, Speller>();

/** @param tag BCP 47, whose region decides orders and words */
export function spellerFor(language: SpokenLanguage, tag: string): Speller {
  const known = kept.get(tag);
  if (known !== undefined) return known;
  const rules = chooseRules(language, tag);
  const speller = new Speller(new NumberWords(rules, loadRules(rules.ruleFile)));
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(tag, speller);
  return speller;
}
