import { endsShortened } from "./shortened-words.ts";

/** What is one thing although signs or blanks are in it. Each begins where a word does, so that endless words cost no more. */
const THINGS: readonly RegExp[] = [
  // Sounds with their names, tags, and marks in brackets.
  /<SE(?:_[se])?>[^<]{0,100}<\/SE(?:_[se])?>|<[^<>\s][^<>\n]{0,60}>|\[[^[\]\n]{1,100}\]/g,
  // Addresses of the web and of people.
  /(?<![\p{L}\p{N}])(?:https?:\/\/|www\.)[^\s<>"]+/giu,
  /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+/gu,
  // Names with dots, dates, fractions, words with apostrophes: `example.com`, `node.js`, `3/4`.
  /(?<![\p{Lu}\p{Ll}\p{Nd}])[\p{Lu}\p{Ll}\p{Nd}]+(?:[./_'’-][\p{Lu}\p{Ll}\p{Nd}]+)+/gu,
  // Numbers with their separators, groups, sign and unit: `1 000 000`, `3,5 %`, `€ 20`, `10:30 Uhr`, `+49 30 1234567`.
  /(?<!\p{Nd})(?:\p{Sc}\s?)?[+−-]?\p{Nd}+(?:[.,:/'’–-]\p{Nd}+|[ \u00a0\u202f\u2009]\p{Nd}{2,4}(?!\p{Nd}))*(?:[ \u00a0\u202f]?(?:[%‰°\p{Sc}]|(?:km|cm|mm|m|kg|g|mg|l|ml|s|ms|h|min|Hz|kHz|MHz|GHz|kB|MB|GB|TB|Uhr|am|pm|AM|PM)(?![\p{L}\p{N}])))?/gu,
  // Letters with full stops: `z. B.`, `J. R. R.`.
  /(?<![\p{L}\p{N}])(?:[\p{Lu}\p{Ll}]\.(?:\s?[\p{Lu}\p{Ll}]\.)+|[\p{Lu}\p{Ll}]{2}\.(?:[\p{Lu}\p{Ll}]{2}\.)+)/gu,
];

/** A full stop with a blank behind it, as after a shortened word. */
const FULL_STOP_AND_BLANK = /\.\s+/g;

/** Start and end of each part of a text that is not to be cut: tags, addresses, numbers, shortened words with what they belong to. */
export function unbreakableSpans(text: string): [start: number, end: number][] {
  const spans: [number, number][] = [];
  for (const pattern of THINGS) {
    for (const { index, 0: thing } of text.matchAll(pattern)) spans.push([index, index + thing.length]);
  }
  for (const { index, 0: sign } of text.matchAll(FULL_STOP_AND_BLANK)) {
    const next = index + sign.length;
    // A line of its own begins something else.
    if (sign.includes("\n")) continue;
    if (endsShortened(text.slice(Math.max(0, index - 32), index + 1), text.slice(next, next + 16)))
      spans.push([index, next + 1]);
  }
  return spans;
}
