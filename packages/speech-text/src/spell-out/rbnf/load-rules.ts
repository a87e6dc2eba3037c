import { createRequire } from "node:module";
import { RuleBasedFormat, type RuleSetData } from "./rule-based-format.ts";

const require = createRequire(import.meta.url);

/** A file of `cldr-rbnf`. */
interface RuleFile {
  readonly rbnf: { readonly rbnf: { readonly SpelloutRules: Readonly<Record<string, unknown>> } };
}

/** CLDR's rules for numbers in words, read when they are needed. */
export function loadRules(fileName: string): RuleBasedFormat {
  const file = require(`cldr-rbnf/rbnf/${fileName}.json`) as RuleFile;
  // Beside the sets lies the name of the source file.
  const sets = Object.entries(file.rbnf.rbnf.SpelloutRules).filter(([, rules]) => Array.isArray(rules));
  return new RuleBasedFormat(Object.fromEntries(sets) as RuleSetData, fileName);
}
