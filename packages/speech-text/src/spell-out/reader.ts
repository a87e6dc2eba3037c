import type { Place } from "./language-rules.ts";

/** Reads one kind of token, where the text has a candidate. */
export interface Reader {
  /** Sticky and with Unicode. Its length must be bounded, or linear in what it takes. */
  readonly pattern: RegExp;
  /** The words; null when it is something else; the match itself to leave it as it is. */
  readonly say: (match: RegExpExecArray, place: Place) => string | null;
}
