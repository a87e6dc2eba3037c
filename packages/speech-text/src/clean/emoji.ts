import { createRequire } from "node:module";
import type { TextOptions } from "../text-options.ts";
import type { StepResult } from "../text-step.ts";

/** Pictures that are signs of writing, too: they are only emoji where a selector says so. */
const SIGN = String.raw`[\u00A9\u00AE\u203C\u2049\u2122\u2139\u2194-\u21AA\u24C2\u25AA-\u25FE\u2934\u2935\u2B05-\u2B07\u3030\u303D\u3297\u3299]`;
const PICTURE = String.raw`\p{Extended_Pictographic}(?:\uFE0F?\p{Emoji_Modifier}|[\uFE0E\uFE0F])?`;
/** A picture with its tags (flags of regions) or with others joined to it, a flag, or a part of one of these. */
const ONE = String.raw`(?:(?!${SIGN}(?!\uFE0F))${PICTURE}(?:[\u{E0020}-\u{E007F}]{1,9}|\u200D${PICTURE}){0,9}|\p{Regional_Indicator}{1,2}|\p{Emoji_Modifier})`;
const EMOJI_RUN = new RegExp(String.raw`${ONE}(?:[^\S\n]{0,3}${ONE})*`, "gu");
const EMOJI = new RegExp(ONE, "gu");
const MAYBE_EMOJI = /[\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}\u20E3]/u;
/** A key of a telephone is the digit or sign on it. */
const KEYCAP = /([0-9#*])\uFE0F?\u20E3/gu;

/** Leaves emoji out, or puts their names in their place, each name of a row once. */
export function speakEmoji(written: string, { emoji }: Pick<TextOptions, "emoji">): StepResult {
  if (!MAYBE_EMOJI.test(written)) return { text: written, warnings: [] };
  const text = written.replaceAll(KEYCAP, "$1");
  const nameOf = emoji === "name" ? emojiName : () => "";
  const parts: string[] = [];
  let start = 0;
  for (const { 0: run, index } of text.matchAll(EMOJI_RUN)) {
    const before = text.slice(start, index);
    start = index + run.length;
    const after = text.slice(start, start + 1);
    const next = text.slice(start, start + 12).trimStart();
    const names = run.match(EMOJI)?.map(nameOf) ?? [];
    const spoken = names.filter((name, place) => name !== "" && name !== names[place - 1]).join(", ");
    parts.push(before.replace(/[^\S\n]{1,9}$/u, ""), between(before, spoken, after, next));
    // The blank behind was made anew.
    if (/[^\S\n]/u.test(after)) start++;
  }
  parts.push(text.slice(start));
  return { text: parts.join(""), warnings: [] };
}

/** What stands where emoji stood, with the blanks around it. */
function between(before: string, spoken: string, after: string, next: string): string {
  const isAtStart = before === "" || /[\n"“„'([{]\s*$/u.test(before.slice(-10));
  const isAtEnd = after === "" || after === "\n";
  const isBeforeSign = /[.,!?;:…)\]}"”'。，！？]/u.test(after);
  if (spoken === "") return isAtStart || isAtEnd || isBeforeSign ? "" : " ";
  const lead = isAtStart ? "" : /[\p{L}\p{N}]\s*$/u.test(before.slice(-10)) ? ", " : " ";
  const isWord = /^[\p{L}\p{N}]/u.test(next);
  return `${lead}${spoken}${isAtEnd || isBeforeSign ? "" : isWord ? ", " : " "}`;
}

/** By their English names in the Unicode standard; a sequence that has none is called by its parts. */
function emojiName(emoji: string): string {
  const names = emojiNames();
  const plain = emoji.replaceAll(/[\uFE0E\uFE0F]|\p{Emoji_Modifier}/gu, "");
  const name = names.get(plain);
  if (name !== undefined) return name;
  const parts = plain.split("\u200D").map((part) => names.get(part) ?? "");
  return parts.filter((part) => part !== "").join(" ");
}

let cachedNames: ReadonlyMap<string, string> | null = null;

/** Loaded when the first name is asked for. */
function emojiNames(): ReadonlyMap<string, string> {
  if (cachedNames !== null) return cachedNames;
  const require = createRequire(import.meta.url);
  const data = require("unicode-emoji-json/data-by-emoji.json") as Readonly<Record<string, { readonly name: string }>>;
  cachedNames = new Map(Object.entries(data).map(([emoji, { name }]) => [emoji.replaceAll("\uFE0F", ""), name]));
  return cachedNames;
}
