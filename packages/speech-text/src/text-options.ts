/** What a text is written in: `plain` text as people write it, or `raw`, which is taken as it is. */
export type TextFormat = "plain" | "raw";

export interface TextOptions {
  readonly format: TextFormat;
  /** Numbers, dates, addresses and the like in words. */
  readonly spellsOut: boolean;
  /** BCP 47, canonical; null to detect it. */
  readonly language: string | null;
}
