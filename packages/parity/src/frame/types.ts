import type { Backend } from "@higgs-worker/ggml";
import type { KvTypes } from "@higgs-worker/higgs-audio/parts";

/**
 * The frame of `higgs verify-golden`: a group collects cases from a directory in the golden layout, a case compares this
 * build with the expected values and reports the error.
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

/** How the generation model is held and computed, and how near to the reference that must come. */
export interface LmConfiguration {
  /** `f32`: widened, as exact comparisons need; the golden checkpoints are stored in bf16. */
  readonly weights: "f32" | "bf16" | "q8_0";
  readonly kvTypes: KvTypes;
  /** Largest absolute error of a hidden state, apart from what `relativeHiddenTolerance` allows. */
  readonly hiddenTolerance: number;
  /** What the largest absolute value of a list of hidden states allows beside that, as a fraction of it. */
  readonly relativeHiddenTolerance: number;
  /** Smallest cosine of a row of hidden states and the expected one. */
  readonly minCosine: number;
  /** Largest absolute error of a logit. */
  readonly logitTolerance: number;
}

/** The backend that the numeric groups (lm, codec) run on, and what they prove there. */
export interface GoldenCompute {
  readonly backend: Backend;
  readonly languageModels: readonly LmConfiguration[];
  /** Largest absolute error of a codec feature or PCM sample. */
  readonly codecTolerance: number;
  /** Whether products of f32 are computed in f32. */
  readonly isExact: boolean;
}

export interface GoldenOptions {
  readonly compute: GoldenCompute;
  /** A `tokenizer.json` with the full Llama-3 vocabulary; built from a package when absent. */
  readonly fullTokenizerPath?: string | undefined;
}

/** Finds the cases of one group under `directory`; a missing or unreadable file becomes a case that fails. */
export type GoldenCollector = (directory: string, options: GoldenOptions) => AsyncIterable<GoldenCase>;
