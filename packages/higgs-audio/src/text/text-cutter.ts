import { isAtSentenceEnd, splitSentences } from "./sentences.ts";
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
    return isAtSentenceEnd(this.#rest);
  }

  /** Takes more text and gives the parts that are complete with it, without blanks around them. */
  push(text: string): string[] {
    this.#rest += text;
    if (this.#granularity === "none") return [];
    const parts: string[] = [];
    const sentences = splitSentences(this.#rest);
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
