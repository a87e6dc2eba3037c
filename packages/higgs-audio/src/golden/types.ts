/**
 * The frame of `higgs verify-golden`: a group collects cases from a directory in the golden layout, a case compares this
 * build with the expected values and says how far off it is.
 */

export interface GoldenOutcome {
  /** `skipped` only where the machine lacks something that the golden set does not carry; never for a missing file of it. */
  readonly status: "passed" | "failed" | "skipped";
  /** The largest absolute difference seen; 0 or 1 where only equality counts. */
  readonly largestError: number;
  /** What was compared, or where the first difference is. */
  readonly detail: string;
}

export interface GoldenCase {
  /** For example `tokenizer` or `lm`. */
  readonly group: string;
  /** Unique in its group. */
  readonly name: string;
  /** May throw; `runGoldenCase` turns that into a failure. */
  run(): Promise<GoldenOutcome>;
}

export interface GoldenOptions {
  /** A `tokenizer.json` with the full Llama-3 vocabulary; built from a package when absent. */
  readonly fullTokenizerPath?: string;
}

/** Finds the cases of one group under `directory`; a missing or unreadable file becomes a case that fails. */
export type GoldenCollector = (directory: string, options: GoldenOptions) => AsyncIterable<GoldenCase>;
