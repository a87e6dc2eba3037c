import type { StepResult } from "../text-step.ts";

/** What only a text in that format has. These only hint at a format; reading it is a parser's work. */
const HINTS: readonly (readonly [format: string, name: string, signs: RegExp])[] = [
  ["ssml", "SSML", /<(?:speak|break|say-as|prosody|phoneme)(?=[\s/>])/iu],
  ["html", "HTML", /<\/(?:p|div|span|h[1-6]|ul|ol|li|a|strong|em|b|i|td|body|article)>|<(?:br|p|hr)\s{0,3}\/?>/iu],
  ["markdown", "Markdown", /^(?:#{1,6}[ \t]+\S|```)|\]\(https?:\/\/|\*\*[^\s*][^*\n]{0,100}[^\s*]\*\*/mu],
];

/** Warns of markup in a text that is said to be plain: it is read aloud as it stands. */
export function warnOfMarkup(text: string): StepResult {
  const hint = HINTS.find(([, , signs]) => signs.test(text));
  if (hint === undefined) return { text, warnings: [] };
  const [format, name] = hint;
  return {
    text,
    warnings: [`The text looks like ${name}, whose signs are read aloud; text_format "${format}" reads it as such`],
  };
}
