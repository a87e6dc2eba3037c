import { detectLanguage, type DetectedLanguage } from "../language/detect-language.ts";
import { isSpokenLanguage, SPOKEN_LANGUAGES } from "../language/language-tag.ts";
import type { TextOptions } from "../text-options.ts";
import type { StepResult } from "../text-step.ts";
import type { Speller } from "./speller.ts";

type SpellOutOptions = Pick<TextOptions, "language">;

/** Where nothing tells the language. */
const FALLBACK = "en";

/** A paragraph ends before an empty line, before a speaker's turn, and after a chapter's mark. */
const PARAGRAPH = /\n(?=[ \t\r]*\n|[ \t]*\[(?:SPEAKER|chapter))/gu;

/**
 * A text whose numbers, dates, times, amounts of money, units, telephone numbers and addresses are in words. Marks in square
 * brackets and tags in angle brackets stay as they are; so do codes and ambiguous numbers, which a warning counts.
 * A language that is given holds for the whole text; otherwise every paragraph has its own.
 */
export async function spellOut(text: string, { language }: SpellOutOptions): Promise<StepResult> {
  const paragraphs = language === null ? splitParagraphs(text) : [text];
  const whole = language === null ? await detectLanguage(text) : null;
  const unsupported = new Set<string>();
  const out: string[] = [];
  let left = 0;
  for (const paragraph of paragraphs) {
    const tag = language ?? languageOf(hasLetters(paragraph) ? await detectLanguage(paragraph) : null, whole);
    const speller = await findSpeller(tag);
    const needsWords = /[\p{N}@]|\p{L}\.\p{L}/u.test(paragraph);
    if (speller === null && needsWords) unsupported.add(tag);
    const spelled = speller === null ? { text: paragraph, left: 0 } : speller.spell(paragraph);
    out.push(spelled.text);
    left += spelled.left;
  }
  return { text: out.join("\n"), warnings: [...unsupportedWarnings(unsupported), ...leftWarnings(left)] };
}

function splitParagraphs(text: string): readonly string[] {
  return text.split(PARAGRAPH);
}

function hasLetters(text: string): boolean {
  return /\p{L}/u.test(text);
}

/** A paragraph's own language where it is certain or alone, else the text's. */
function languageOf(paragraph: DetectedLanguage | null, whole: DetectedLanguage | null): string {
  if (paragraph?.isReliable === true) return paragraph.language;
  if (whole?.isReliable === true) return whole.language;
  return whole?.language ?? paragraph?.language ?? FALLBACK;
}

/** Null for a language without words. */
async function findSpeller(tag: string): Promise<Speller | null> {
  const { language } = new Intl.Locale(tag);
  if (!isSpokenLanguage(language)) return null;
  // Loaded when the first text needs it: rules, words and the library that finds addresses.
  const { spellerFor } = await import("./kept-spellers.ts");
  return spellerFor(language, tag);
}

function unsupportedWarnings(languages: ReadonlySet<string>): string[] {
  return [...languages].map(
    (language) =>
      `Numbers have no words here in the language ${language}, whose text was left as written (spell_out has ${SPOKEN_LANGUAGES.join(", ")})`,
  );
}

function leftWarnings(left: number): string[] {
  if (left === 0) return [];
  const [things, were] = left === 1 ? ["token with digits", "was"] : ["tokens with digits", "were"];
  return [
    `${left} ${things} ${were} left as written by spell_out, since codes and ambiguous numbers have no certain words`,
  ];
}
