/** Where a token stands. */
export interface Place {
  /** The word before it on its line, in lower case; empty without. */
  readonly before: string;
  /** The word behind it as it is written, when only spaces are between; empty without. */
  readonly after: string;
}

/** Reads one kind of token, where the text has a candidate. */
export interface Reader {
  /** Sticky and with Unicode. Its length must be bounded, or linear in what it takes. */
  readonly pattern: RegExp;
  /** The words; null when it is something else. */
  readonly say: (match: RegExpExecArray, place: Place) => string | null;
}
