import type { BenchRow } from "../bench/report.ts";
import type { ModelLoader } from "../model/load-model.ts";
import type { Session } from "./session.ts";

export interface BenchContext extends Session {
  readonly signal: AbortSignal;
  readonly loadModel: ModelLoader;
  /** The released shapes with random weights instead of a checkpoint. */
  readonly isRandom: boolean;
}

/** Measures one thing after another; yields a row as soon as it is known. */
export type BenchMeasure = (context: BenchContext) => AsyncIterable<BenchRow>;

/** The middle one; the upper of two. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
