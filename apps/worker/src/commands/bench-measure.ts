import type { BenchRow } from "../bench/report.ts";
import type { ModelLoader } from "../model/load-model.ts";
import type { Session } from "./session.ts";

export interface BenchContext extends Session {
  readonly signal: AbortSignal;
  readonly loadModel: ModelLoader;
}

/** Measures one thing after another; yields a row as soon as it is known. */
export type BenchMeasure = (context: BenchContext) => AsyncIterable<BenchRow>;
