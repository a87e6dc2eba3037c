import { isSpeakable } from "./speakable.ts";

/** Where text that is still being written may be cut: nowhere before its end, after sentences, or after clauses too. */
export type CutGranularity = "none" | "sentence" | "clause";

export interface TextCutterOptions {
  readonly granularity: CutGranularity;
  /** A sentence that grows longer is cut at its best place, in UTF-16 units; 400 unless given. */
  readonly maxCharacters?: number | undefined;
}

/** About 25 seconds of speech. */
const DEFAULT_MAX_CHARACTERS = 400;
/** Shorter clauses are spoken with what follows them. */
const MIN_CLAUSE_CHARACTERS = 12;

/** Shortened words that no sentence ends with. */
const NEVER_LAST = wordsOf(
  "mr mrs ms mx dr prof st gen col capt cpt lt sgt rev hon pres gov sen rep mt ft mme mlle hr fr sra srta dra mag dipl ing approx vs viz ca bzw bspw ggf evtl inkl zzgl resp",
);
/** Shortened words that a sentence may end with, before a capital. */
const MAY_BE_LAST = wordsOf("etc al sr jr est dept inc ltd co corp usw");
/** Shortened words before a number. */
const BEFORE_NUMBERS = wordsOf("no nos nr num vol fig figs p pp ch chap sec art eq para abs kap ver v");
/** Letters with full stops between them: `e.g`, `U.S`, `z.B`. */
const DOTTED_LETTERS = /^\p{L}(?:\.\s?\p{L})+$/u;

const SENTENCE_END = /[.!?…。！？．｡।॥؟۔][\p{Pe}\p{Pf}\p{Pi}"'*_]*\s*$/u;
const CLOSING_QUOTE_END = /[!?][\p{Pf}"'»]+\s*$/u;
/** A line that stands for itself: after a blank one, an item of a list, a heading, or a turn of a dialogue. */
const NEW_LINE_OF_ITS_OWN = /^(?:\s*[\r\n]|\s{0,8}(?:[-*•–]\s|#{1,6}\s|\d{1,3}[.)]\s|\[SPEAKER\p{Nd}+\]))/u;
const LIST_NUMBER = /^\s*[-*•]?\s*(?:\d{1,3}|\p{L})[.)]\s*$/u;
/** Within a sentence: a sign with a blank behind it, or a full-width one, which needs none. */
const CLAUSE_END = /[,;:](?=\s)|\s[–—-](?=\s)|—|[，；：、،؛]/gu;

const CHARACTERS = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * Cuts text that arrives in pieces (from a language model, as it writes) into parts that can be spoken one by one. A part is given
 * as soon as what follows shows that it is complete, so that `3.` may still become `3.14` and `Dr.` `Dr. Smith`.
 */
export class TextCutter {
  readonly #granularity: CutGranularity;
  readonly #maxCharacters: number;
  readonly #segmenter = new Intl.Segmenter(undefined, { granularity: "sentence" });
  #rest = "";

  constructor({ granularity, maxCharacters = DEFAULT_MAX_CHARACTERS }: TextCutterOptions) {
    this.#granularity = granularity;
    this.#maxCharacters = maxCharacters;
  }

  /** Characters that wait for more. */
  get waitingCharacters(): number {
    return this.#rest.length;
  }

  /** Whether what waits ends as a sentence does: if nothing follows, it is one. */
  get isAtSentenceEnd(): boolean {
    return SENTENCE_END.test(this.#rest) && !isUnfinished(this.#rest, "");
  }

  /** Takes more text and gives the parts that are complete with it, without blanks around them. */
  push(text: string): string[] {
    this.#rest += text;
    if (this.#granularity === "none") return [];
    const parts: string[] = [];
    const sentences = this.#sentences();
    const last = sentences.pop() ?? "";
    for (const sentence of sentences) parts.push(...this.#clauses(sentence, true));
    this.#rest = last;
    if (this.#granularity === "clause") {
      const clauses = this.#clauses(last, false);
      this.#rest = clauses.pop() ?? "";
      parts.push(...clauses);
    }
    while (this.#rest.length > this.#maxCharacters) parts.push(this.#cutLongRest());
    return parts.map((part) => part.trim()).filter((part) => part !== "");
  }

  /** Gives what waits, which nothing follows. */
  flush(): string[] {
    const parts = this.#granularity === "none" ? [] : this.push("");
    const rest = this.#rest.trim();
    this.#rest = "";
    return rest === "" ? parts : [...parts, rest];
  }

  /** The sentences of the rest; the last may be incomplete. */
  #sentences(): string[] {
    const sentences: string[] = [];
    let sentence = "";
    for (const { segment } of this.#segmenter.segment(this.#rest)) {
      if (sentence !== "" && !isUnfinished(sentence, segment)) {
        sentences.push(sentence);
        sentence = "";
      }
      sentence += segment;
    }
    return [...sentences, sentence];
  }

  /** A sentence cut after its clauses, if those are wanted and long enough. */
  #clauses(sentence: string, isComplete: boolean): string[] {
    if (this.#granularity !== "clause") return [sentence];
    const clauses: string[] = [];
    let start = 0;
    for (const { index, 0: sign } of sentence.matchAll(CLAUSE_END)) {
      const end = index + sign.length;
      const clause = sentence.slice(start, end);
      const isLast = isComplete && sentence.slice(end).trim() === "";
      if (isLast || clause.trim().length < MIN_CLAUSE_CHARACTERS || !isSpeakable(clause)) continue;
      clauses.push(clause);
      start = end;
    }
    return [...clauses, sentence.slice(start)];
  }

  /** At the last clause within the limit, else at the last blank, else between two characters. */
  #cutLongRest(): string {
    const head = this.#rest.slice(0, this.#maxCharacters);
    const clause = [...head.matchAll(CLAUSE_END)].at(-1);
    const clauseEnd = clause === undefined ? 0 : clause.index + clause[0].length;
    const blank = /\s\S*$/u.exec(head)?.index ?? 0;
    const half = this.#maxCharacters / 2;
    let end = clauseEnd >= half ? clauseEnd : blank;
    // No sign is cut off its accents, no emoji in two.
    if (end === 0) end = CHARACTERS.segment(this.#rest).containing(this.#maxCharacters)?.index || this.#maxCharacters;
    const part = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end);
    return part;
  }
}

/** Whether a sentence goes on with what follows it, although ICU's rules end it. */
function isUnfinished(sentence: string, next: string): boolean {
  if (/[\r\n]$/.test(sentence) && NEW_LINE_OF_ITS_OWN.test(next)) return false;
  if (!isSpeakable(sentence) || LIST_NUMBER.test(sentence)) return true;
  const text = sentence.trimEnd();
  // Lines are broken within sentences, too.
  if (!SENTENCE_END.test(text)) return next !== "" && !/\n\s*\n\s*$/.test(sentence);
  if (CLOSING_QUOTE_END.test(text)) return /^\p{Ll}/u.test(next);
  return endsShortened(text, next);
}

/** Whether the full stop at the end belongs to a shortened word: `Dr. Smith`, `No. 5`, `J. R. Tolkien`, `e.g. this`. */
function endsShortened(text: string, next: string): boolean {
  const word = /(?<![\p{L}\p{N}.'’])([\p{L}\p{N}.]+)\.$/u.exec(text)?.[1];
  if (word === undefined) return false;
  const name = word.toLowerCase();
  if (DOTTED_LETTERS.test(word)) return true;
  if (/^\p{L}$/u.test(word)) return word !== "I";
  if (NEVER_LAST.has(name)) return true;
  if (MAY_BE_LAST.has(name)) return !/^\p{Lu}/u.test(next);
  return BEFORE_NUMBERS.has(name) && /^\p{N}/u.test(next);
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.split(" "));
}
