import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { RuleBasedFormat, type RuleSetData } from "./rule-based-format.ts";

const require = createRequire(import.meta.url);
const dataDir = join(dirname(require.resolve("cldr-rbnf/package.json")), "rbnf");

/** A file of `cldr-rbnf`. */
interface RuleFile {
  readonly rbnf: { readonly rbnf: { readonly SpelloutRules: Readonly<Record<string, unknown>> } };
}

/** CLDR's rules for numbers in words, read when they are needed. */
export function loadRules(fileName: string): RuleBasedFormat {
  const file = JSON.parse(readFileSync(join(dataDir, `${fileName}.json`), "utf8")) as RuleFile;
  // Beside the sets lies the name of the source file.
  const sets = Object.entries(file.rbnf.rbnf.SpelloutRules).filter(([, rules]) => Array.isArray(rules));
  return new RuleBasedFormat(Object.fromEntries(sets) as RuleSetData, fileName);
}
