/** What a text is written in: `plain` text as people write it, markup, or `raw`, which is taken as it is. */
export type TextFormat = "plain" | "markdown" | "html" | "ssml" | "raw";

export interface TextOptions {
  readonly format: TextFormat;
  /** Whether blocks of code are left out, or all code is spelled character by character. */
  readonly code: "skip" | "spell";
  /** Whether emoji are left out or called by their English names. */
  readonly emoji: "silent" | "name";
  /** Names of the voices that there are, by the numbers of their speakers; null for one without. `<voice>` of SSML chooses by them. */
  readonly voices: readonly (string | null)[];
  /** The sounds that the model can make, as they are written: `[laugh]`. */
  readonly soundTags: readonly string[];
  /** Longest text that may come of reading it, in UTF-16 units: markup and names can make much of little. */
  readonly maxCharacters: number;
  /** Numbers, dates, addresses and the like in words. */
  readonly spellsOut: boolean;
  /** BCP 47, canonical; null to detect it. */
  readonly language: string | null;
}
