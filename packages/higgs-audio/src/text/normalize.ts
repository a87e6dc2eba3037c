import { splitPython } from "./python-whitespace.ts";

/** Characters that become their plain counterparts, in any language (spec model §5.5.3). */
const CHARACTER_REPLACEMENTS: readonly (readonly [from: string, to: string])[] = [
  ["，", ", "],
  ["。", "."],
  ["：", ":"],
  ["；", ";"],
  ["？", "?"],
  ["！", "!"],
  ["（", "("],
  ["）", ")"],
  ["【", "["],
  ["】", "]"],
  ["《", "<"],
  ["》", ">"],
  ["\u201C", '"'],
  ["\u201D", '"'],
  ["\u2018", "'"],
  ["\u2019", "'"],
  ["、", ","],
  ["\u2014", "-"],
  ["\u2026", "..."],
  ["\u00B7", "."],
  ["「", '"'],
  ["」", '"'],
  ["『", '"'],
  ["』", '"'],
];

/** Steps 4 and 5: they come after the characters, so that full-width parentheses vanish too. */
const SIGN_REPLACEMENTS: readonly (readonly [from: string, to: string])[] = [
  ["(", " "],
  [")", " "],
  ["°F", " degrees Fahrenheit"],
  ["°C", " degrees Celsius"],
];

/** Step 6: sound tags become the model's sound-effect tokens around a plain name; case-sensitive and exact. */
const SOUND_TAG_REPLACEMENTS: readonly (readonly [from: string, to: string])[] = [
  ["[laugh]", "<SE>[Laughter]</SE>"],
  ["[humming start]", "<SE_s>[Humming]</SE_s>"],
  ["[humming end]", "<SE_e>[Humming]</SE_e>"],
  ["[music start]", "<SE_s>[Music]</SE_s>"],
  ["[music end]", "<SE_e>[Music]</SE_e>"],
  ["[music]", "<SE>[Music]</SE>"],
  ["[sing start]", "<SE_s>[Singing]</SE_s>"],
  ["[sing end]", "<SE_e>[Singing]</SE_e>"],
  ["[applause]", "<SE>[Applause]</SE>"],
  ["[cheering]", "<SE>[Cheering]</SE>"],
  ["[cough]", "<SE>[Cough]</SE>"],
];

/** The sound tags that the model knows, as users write them. */
export const SOUND_TAGS: readonly string[] = SOUND_TAG_REPLACEMENTS.map(([tag]) => tag);

const REPLACEMENTS = [...CHARACTER_REPLACEMENTS, ...SIGN_REPLACEMENTS, ...SOUND_TAG_REPLACEMENTS];

/** Step 8: an end that does not need a full stop. `:` and `</SE_s>` are not among them. */
const SENTENCE_ENDS = [".", "!", "?", ",", ";", '"', "'", "</SE_e>", "</SE>"];

/**
 * The transcript as the model is to read it (spec model §5.5.3 to §5.5.8): plain punctuation, sound tags as tokens, one space
 * between words, no blank lines, a sentence end. An empty text becomes `.`. Speaker tags are collected before this, from
 * the raw text.
 */
export function normalizeTranscript(transcript: string): string {
  return withSentenceEnd(normalizePart(transcript));
}

/** The same for a part of a transcript that goes on: without step 8. */
export function normalizePart(transcript: string): string {
  let text = transcript;
  for (const [from, to] of REPLACEMENTS) text = text.replaceAll(from, to);
  return collapseWhitespace(text);
}

/** Step 8. */
export function withSentenceEnd(text: string): string {
  return SENTENCE_ENDS.some((end) => text.endsWith(end)) ? text : `${text}.`;
}

/** Step 7: words of each line joined by one space; lines without words vanish, so nothing is left to strip. Only `\n` ends a line. */
function collapseWhitespace(text: string): string {
  return text
    .split("\n")
    .map((line) => splitPython(line).join(" "))
    .filter((line) => line !== "")
    .join("\n");
}
