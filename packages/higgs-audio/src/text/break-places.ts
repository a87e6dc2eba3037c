import { splitSentences } from "./sentences.ts";
import { unbreakableSpans } from "./unbreakable.ts";

/** Where a text may be cut, worst first: in an endless word, between words, at a line's end, after a clause, … */
export const BREAK_KINDS = ["character", "word", "line", "clause", "sentence", "paragraph", "turn"] as const;
export type BreakKind = (typeof BREAK_KINDS)[number];

/** Blank lines, or one of the separators that Unicode has for paragraphs. */
const PARAGRAPH_END = /\n[^\S\n]*\n\s*|\u2029\s*/g;
/** Before a line that starts with a speaker tag. */
const TURN_START = /(?<=\n[^\S\n]{0,100})\[SPEAKER\p{Nd}+\]/gu;
/** Full-width signs, and plain ones with a blank or an ideograph behind them, need a place behind them to be a cut. */
const CLAUSE_END =
  /[,;:](?:\s+|(?=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]))|\s[–—-]\s+|—\s*|[，；：、،؛၊፣]\s*/gu;
/** In scripts that do not set words apart, a blank stands between clauses. */
const CLAUSE_BLANK =
  /(?<=[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])\s+(?=[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])/gu;
const BLANK = /\s+/g;

/** Words that nothing sets apart: their ends are found by dictionary. */
const JOINED_WORDS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{M}]{4,}/gu;
/** The segmenter's time grows with the square of what it is given. */
const MAX_PIECE_LENGTH = 400;

let words: Intl.Segmenter | undefined;
let characters: Intl.Segmenter | undefined;

/** The places of a text, each at the start of what follows, blanks before it. */
export class BreakPlaces {
  /** For each UTF-16 unit of the text, 1 + the index in `BREAK_KINDS` of the place before it, 0 for none. */
  readonly #kinds: Uint8Array;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    this.#kinds = new Uint8Array(text.length + 1);
    this.#findWords();
    for (const { index, 0: blank } of text.matchAll(BLANK))
      this.#set(index + blank.length, blank.includes("\n") ? "line" : "word");
    for (const pattern of [CLAUSE_END, CLAUSE_BLANK]) {
      for (const { index, 0: sign } of text.matchAll(pattern)) this.#set(index + sign.length, "clause");
    }
    this.#findSentences();
    for (const [start, end] of unbreakableSpans(text)) this.#kinds.fill(0, start + 1, end);
    for (const { index, 0: blank } of text.matchAll(PARAGRAPH_END)) this.#set(index + blank.length, "paragraph");
    for (const { index } of text.matchAll(TURN_START)) this.#set(index, "turn");
    this.#kinds[0] = 0;
    this.#kinds[text.length] = 0;
  }

  /** Places of at least this kind between two positions, in order. */
  between(start: number, end: number, weakest: BreakKind): number[] {
    if (weakest === "character") return this.#charactersBetween(start, end);
    const least = BREAK_KINDS.indexOf(weakest) + 1;
    const places: number[] = [];
    for (let at = start + 1; at < end; at++) if ((this.#kinds[at] ?? 0) >= least) places.push(at);
    return places;
  }

  /** What the place at a position is. */
  kindAt(at: number): BreakKind {
    return BREAK_KINDS[Math.max(0, (this.#kinds[at] ?? 0) - 1)] ?? "character";
  }

  #set(at: number, kind: BreakKind): void {
    this.#kinds[at] = BREAK_KINDS.indexOf(kind) + 1;
  }

  #findSentences(): void {
    let end = 0;
    for (const sentence of splitSentences(this.#text)) {
      end += sentence.length;
      this.#set(end, "sentence");
    }
  }

  /** Ends of words that nothing sets apart, but not before a sign or a small letter that belongs to what is before it. */
  #findWords(): void {
    words ??= new Intl.Segmenter("ja", { granularity: "word" });
    for (const { index: start, 0: run } of this.#text.matchAll(JOINED_WORDS)) {
      for (let from = 0; from < run.length; from += MAX_PIECE_LENGTH) {
        for (const { index } of words.segment(run.slice(from, from + MAX_PIECE_LENGTH))) {
          if (index > 0) this.#set(start + from + index, "word");
        }
      }
    }
  }

  /** Between the signs as readers see them, for what no word ends within. */
  #charactersBetween(start: number, end: number): number[] {
    characters ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
    const places: number[] = [];
    for (let from = start; from < end; from += MAX_PIECE_LENGTH) {
      const piece = this.#text.slice(from, Math.min(end, from + MAX_PIECE_LENGTH));
      for (const { index } of characters.segment(piece)) if (from + index > start) places.push(from + index);
    }
    return places;
  }
}
