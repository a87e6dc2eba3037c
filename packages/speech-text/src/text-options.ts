/** What a text is written in: `plain` text as people write it, or `raw`, which is taken as it is. */
export type TextFormat = "plain" | "raw";

export interface TextOptions {
  readonly format: TextFormat;
}
