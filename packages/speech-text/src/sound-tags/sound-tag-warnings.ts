import type { TextOptions } from "../text-options.ts";
import type { StepResult } from "../text-step.ts";
import { nearestSound } from "./sound-names.ts";

const WORDS = String.raw`\p{L}[\p{L}'’-]{0,20}(?:\s\p{L}[\p{L}'’-]{0,20}){0,2}`;
/** In square brackets, but not between the model's own tokens for a sound; in parentheses or asterisks. */
const TAG = new RegExp(
  String.raw`(?<!<SE>|<SE_s>|<SE_e>)\[(?<square>${WORDS})\](?!\()|\((?<round>${WORDS})\)|(?<![*\p{L}\p{N}])\*(?<starred>${WORDS})\*(?![*\p{L}\p{N}])`,
  "gu",
);
/** Marks of our own (README), which others read, or warn of. */
const MARK = /^(?:pause|chapter|speaker)(?!\p{L})/iu;

interface UnknownTags {
  count: number;
  readonly firstLine: number;
  /** The first that is a known word for a sound; other words of the text are never repeated. */
  readonly example: string | null;
}

/**
 * Warns of sounds that the model does not know and would read aloud as words, with the nearest that it knows. The text stays as
 * it is.
 */
export function warnOfSoundTags(text: string, options: Pick<TextOptions, "soundTags" | "format">): StepResult {
  const known = new Set(options.soundTags);
  const unknown = new Map<string | null, UnknownTags>();
  const lines = new LineCounter(text);
  for (const { 0: tag, index, groups = {} } of text.matchAll(TAG)) {
    const { square } = groups;
    const name = square ?? groups["round"] ?? groups["starred"] ?? "";
    if (known.has(tag) || (square !== undefined && MARK.test(name))) continue;
    const sound = nearestSound(name);
    // Brackets of other kinds are for other things, too.
    if (sound === undefined && square === undefined) continue;
    const nearest = sound ?? options.soundTags.find((candidate) => isNearly(candidate, tag.toLowerCase())) ?? null;
    const found = unknown.get(nearest);
    if (found !== undefined) found.count++;
    else unknown.set(nearest, { count: 1, firstLine: lines.lineAt(index), example: sound === undefined ? null : tag });
  }
  return { text, warnings: [...unknown].map(([nearest, tags]) => warningOf(nearest, tags, options)) };
}

function warningOf(
  nearest: string | null,
  { count, firstLine, example }: UnknownTags,
  { soundTags, format }: Pick<TextOptions, "soundTags" | "format">,
): string {
  const place = format === "plain" ? ` (the first in line ${firstLine})` : "";
  const what = `${count === 1 ? "1 sound tag" : `${count} sound tags`}${example === null ? "" : ` such as ${example}`}`;
  const advice = nearest === null ? `it knows ${soundTags.join(", ")}` : `the nearest that it knows is ${nearest}`;
  return `Read ${what} as words, which the model does not know as a sound${place}; ${advice}`;
}

/** Whether two tags differ by one character, or by two that changed places. */
function isNearly(known: string, tag: string): boolean {
  if (Math.abs(known.length - tag.length) > 1) return false;
  let start = 0;
  while (start < known.length && known[start] === tag[start]) start++;
  let end = 0;
  const shorter = Math.min(known.length, tag.length);
  while (end < shorter - start && known.at(-1 - end) === tag.at(-1 - end)) end++;
  const [left, right] = [known.slice(start, known.length - end), tag.slice(start, tag.length - end)];
  return Math.max(left.length, right.length) <= 1 || (left.length === 2 && left === right.split("").reverse().join(""));
}

/** Line numbers of rising places, in one pass. */
class LineCounter {
  readonly #text: string;
  #place = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  lineAt(place: number): number {
    for (; this.#place < place; this.#place++) if (this.#text[this.#place] === "\n") this.#line++;
    return this.#line;
  }
}
