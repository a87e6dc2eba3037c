import type { NumberWords } from "./number-words.ts";
import type { Place, Reader } from "./reader.ts";
import { amountReaders, numberReaders } from "./readers/amounts.ts";
import { dateAndTimeReaders } from "./readers/dates-and-times.ts";
import { findLinks, sayLink } from "./readers/links.ts";
import { moneyReaders } from "./readers/money.ts";
import { phoneReaders } from "./readers/phones.ts";

export interface SpelledText {
  readonly text: string;
  /** Tokens with digits that stayed as they were. */
  readonly left: number;
}

/** Marks and tags, which are no text: `[SPEAKER1]`, `[pause 2s]`, `[chapter "3"]`, `[laugh]`, `<SE>`; but not `[12]`. */
const MARK = /\[\p{L}[^\][\n]{0,200}\]|<[^<>\n]{1,40}>/gu;

/** Where a token may begin: a digit or fraction, a sign or currency before a digit, or a word before a number. */
const CANDIDATE =
  /(?<![\p{L}\p{M}\p{N}])(?:\p{L}{1,12}[.$]?[.°º]{0,2}[ \u00A0]?(?=#?\d)|(?:US|R|C|A)\$[ \u00A0]?(?=\d))|['’#]?\d|\((?=\d{2,4}\) ?\d)|[$€£¥￥₩₹][ \u00A0]?(?=\d)|(?<=^|[\s("'„“«[/])[+\-−](?=[$€£¥￥₩₹\d])|(?<=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}])[-−](?=\d{1,4}(?:\.\d{1,4})? ?(?:°|℃|度|도))|\u00A7{1,2}[ \u00A0]?(?=\d)|[½¼¾⅓⅔⅕⅛]/gu;

/** A letter of a script that is written with spaces, right before a digit: the digit is part of a code. */
const CODE_BEFORE = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}_]$/u;

/** A token that nothing reads. */
const UNREAD = /[\d\p{Script=Latin}_]+(?:[-.:/,+][\d\p{Script=Latin}_]+)*/uy;

/** A dash or tilde right between two tokens is a range, and so is a hyphen behind what is more than a plain number. */
const RANGE = /[–〜～~](?=[\d$€£¥￥₩])/uy;
const HYPHEN_RANGE = /-(?=[\d$€£¥￥₩])/uy;
const PLAIN_NUMBER = /^\d+$/u;

const FULL_WIDTH = /[０-９]/gu;

/** How far around a token its neighbors are looked for. */
const NEIGHBOR_CHARS = 40;

/** Finds what is written with digits and signs, and says it in one language. */
export class Speller {
  readonly #words: NumberWords;
  readonly #readers: readonly Reader[];

  constructor(words: NumberWords) {
    this.#words = words;
    this.#readers = [
      ...words.rules.readers(words),
      ...dateAndTimeReaders(words),
      ...phoneReaders(words),
      { pattern: /\+(?=[$€£\d])/uy, say: () => words.rules.plus + words.rules.space },
      ...moneyReaders(words),
      ...amountReaders(words),
      ...numberReaders(words),
    ];
  }

  /** Time grows with the length of the text, whatever it holds. */
  spell(text: string): SpelledText {
    const plain = text.replaceAll(FULL_WIDTH, (digit) => digit.normalize("NFKC"));
    const out: string[] = [];
    let left = 0;
    let end = 0;
    for (const { start, end: spanEnd, isLink } of closedSpans(plain)) {
      left += this.#scan(plain, end, start, out);
      const span = plain.slice(start, spanEnd);
      out.push(isLink ? sayLink(span, this.#words) : span);
      end = spanEnd;
    }
    left += this.#scan(plain, end, plain.length, out);
    return { text: out.join(""), left };
  }

  /** Spells a stretch without marks and links; returns how many tokens it left. */
  #scan(text: string, from: number, to: number, out: string[]): number {
    const part = text.slice(from, to);
    let left = 0;
    let end = 0;
    CANDIDATE.lastIndex = 0;
    for (let found = CANDIDATE.exec(part); found !== null; found = CANDIDATE.exec(part)) {
      const start = found.index;
      const isCode = /^\d/u.test(found[0]) && CODE_BEFORE.test(part.slice(Math.max(0, start - 2), start));
      const read = isCode ? null : this.#read(part, start);
      if (read !== null) {
        out.push(part.slice(end, start), read.words);
        end = this.#afterRange(part, start, read.end, out);
        CANDIDATE.lastIndex = end;
        continue;
      }
      // A word that is part of nothing: its number is looked at next.
      if (!/^\d/u.test(found[0])) {
        CANDIDATE.lastIndex = start + Math.max(1, found[0].search(/\d|$/u));
        continue;
      }
      left += 1;
      UNREAD.lastIndex = start;
      UNREAD.test(part);
      CANDIDATE.lastIndex = Math.max(UNREAD.lastIndex, start + found[0].length);
    }
    out.push(part.slice(end));
    return left;
  }

  #read(text: string, start: number): { readonly words: string; readonly end: number } | null {
    for (const { pattern, say } of this.#readers) {
      pattern.lastIndex = start;
      const match = pattern.exec(text);
      if (match === null) continue;
      const end = start + match[0].length;
      const words = say(match, placeOf(text, start, end));
      if (words !== null) return { words, end };
    }
    return null;
  }

  #afterRange(text: string, start: number, end: number, out: string[]): number {
    const pattern = PLAIN_NUMBER.test(text.slice(start, end)) ? RANGE : HYPHEN_RANGE;
    pattern.lastIndex = end;
    RANGE.lastIndex = end;
    if (!pattern.test(text) && !RANGE.test(text)) return end;
    out.push(this.#words.rules.range);
    return end + 1;
  }
}

function placeOf(text: string, start: number, end: number): Place {
  const before = /(\p{L}+)\.?[ \u00A0]$/u.exec(text.slice(Math.max(0, start - NEIGHBOR_CHARS), start));
  const after = /^[ \u00A0\u202F]?(\p{L}+)/u.exec(text.slice(end, end + NEIGHBOR_CHARS));
  return { before: before?.[1]?.toLowerCase() ?? "", after: after?.[1] ?? "" };
}

interface ClosedSpan {
  readonly start: number;
  readonly end: number;
  readonly isLink: boolean;
}

/** Marks and addresses in order, without overlaps: a mark wins. */
function closedSpans(text: string): readonly ClosedSpan[] {
  const marks = [...text.matchAll(MARK)].map(({ index, 0: mark }) => ({
    start: index,
    end: index + mark.length,
    isLink: false,
  }));
  const links = findLinks(text).map((link) => ({ ...link, isLink: true }));
  const spans: ClosedSpan[] = [];
  let end = 0;
  for (const span of [...marks, ...links].toSorted(
    (a, b) => a.start - b.start || Number(a.isLink) - Number(b.isLink),
  )) {
    if (span.start < end) continue;
    spans.push(span);
    end = span.end;
  }
  return spans;
}
