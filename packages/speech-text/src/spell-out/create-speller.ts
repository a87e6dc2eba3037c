import type { SpokenLanguage } from "../language/language-tag.ts";
import { chooseRules } from "./languages/choose-rules.ts";
import { NumberWords } from "./number-words.ts";
import { loadRules } from "./rbnf/load-rules.ts";
import { Speller } from "./speller.ts";

/** @param tag BCP 47, whose region decides orders and words */
export function createSpeller(language: SpokenLanguage, tag: string): Speller {
  const rules = chooseRules(language, tag);
  return new Speller(new NumberWords(rules, loadRules(rules.ruleFile)));
}
