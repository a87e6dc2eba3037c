import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ChunkRandom } from "@higgs-worker/higgs-audio/parts";

/** Plain clauses. Upper-case words are drawn from the lists below. */
const CLAUSES = [
  "NOUNS VERBED NOUNS",
  "NOUNS VERBED NOUNS PLACE",
  "NOUNS WENT PLACE",
  "NOUNS WENT PLACE TIME",
  "PRONOUN VERBED NOUNS TIME",
  "PRONOUN want to DO NOUNS",
  "we should DO NOUNS PLACE",
  "please DO NOUNS TIME",
  "there is a ADJECTIVE NOUN PLACE",
  "can you DO NOUNS",
  "where is NOUNS",
  "NOUNS is ADJECTIVE",
  "NOUNS was very ADJECTIVE TIME",
  "PRONOUN think NOUNS is ADJECTIVE",
  "it is ADJECTIVE to DO NOUNS",
  "this is a ADJECTIVE NOUN",
  "do not forget NOUNS",
  "NAME and NAME WENT PLACE",
  "what is NOUNS",
  "when NOUNS WENT PRONOUN VERBED NOUNS",
] as const;

const WORDS: Readonly<Record<string, readonly string[]>> = {
  NOUNS: ["the NOUN", "the ADJECTIVE NOUN", "a NOUN", "my NOUN", "his NOUN", "her NOUN", "our NOUN", "the old NOUN"],
  NOUN: list(
    "boy girl man woman child dog cat horse bird house room door window table chair book letter story school teacher city village street road river sea lake mountain tree flower garden field farm moon star snow wind fire stone ship train car bridge market money box hat coat head face voice mother father brother sister friend doctor king queen soldier farmer bread milk apple coffee kitchen knife glass bottle music song picture game question answer problem plan office machine number country",
  ),
  ADJECTIVE: list(
    "small big little old new good great long short red blue green white black young happy strong warm cold hot open fast slow easy hard quiet simple beautiful different important large dark high low deep poor rich",
  ),
  PLACE: [
    ..."in on under near behind with by across before after around through"
      .split(" ")
      .map((word) => `${word} the NOUN`),
    "in my NOUN",
    "near a ADJECTIVE NOUN",
  ],
  PRONOUN: list("I you we they"),
  VERBED: list(
    "saw found liked took made left opened closed read heard bought sold brought carried helped watched moved",
  ),
  DO: list(
    "see find need take make give open close read hear buy sell bring carry help watch move keep show build change",
  ),
  WENT: list("went came walked ran stood sat slept waited worked played talked stopped lived stayed fell"),
  TIME: [
    "today",
    "now",
    "again",
    "tonight",
    "in the morning",
    "every day",
    "last night",
    "after school",
    "for a long time",
  ],
  NAME: list("John Mary Peter Anna David Sarah Tom Jack Alice Henry"),
};

function list(words: string): string[] {
  return words.split(" ");
}

/** The sentence with this number: always the same, in common words. */
export function sentenceOf(index: number): string {
  const random = new ChunkRandom(index, 0);
  let draws = 0;
  const pick = (options: readonly string[]): string =>
    options[Math.floor(random.uniform(draws++, 0, "draw") * options.length)] ?? "";
  const expand = (text: string): string =>
    text
      .split(" ")
      .map((word) => (word in WORDS ? expand(pick(WORDS[word] ?? [])) : word))
      .join(" ");
  const text = expand(pick(CLAUSES)).replaceAll(/\ba(?= [aeio])/g, "an");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Common words, those of the sentences among them: what the recognizer may hear. */
export function knownWords(): Set<string> {
  const file = join(import.meta.dirname, "words.txt");
  return new Set(readFileSync(file, "utf8").trim().toLowerCase().split("\n"));
}
