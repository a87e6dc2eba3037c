import type { SpeechRequest } from "@higgs-worker/higgs-audio";
import type { BenchRow } from "../bench/report.ts";
import type { ModelLoader } from "../model/load-model.ts";
import type { CommandContext } from "./command-context.ts";

export interface BenchContext extends CommandContext {
  readonly signal: AbortSignal;
  readonly loadModel: ModelLoader;
  /** The released shapes with random weights instead of a checkpoint. */
  readonly isRandom: boolean;
}

/** Yields each row as soon as it is measured. */
export type BenchMeasure = (context: BenchContext) => AsyncIterable<BenchRow>;

/** A sentence that the demo checkpoint speaks well. */
export const BENCH_REQUEST: SpeechRequest = {
  transcript: "The sun is warm and the sky is blue.",
  scene: "Audio is recorded from a quiet room.",
  sampling: { temperature: 0.3 },
  chunkMethod: "none",
  maxNewTokens: 256,
  allowTruncated: true,
  guard: false,
  seed: 1,
};

/** The middle value; the upper one of two. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/**
 * A mono tone that swells and fades: encoding time does not depend on the content.
 *
 * @param loudness 0 … 1, which makes clips differ
 */
export function makeClip(samples: number, loudness = 1): Float32Array {
  const peak = 0.3 + 0.2 * loudness;
  return Float32Array.from({ length: samples }, (_, i) => peak * Math.sin(i * 0.05) * Math.sin(i * 0.0007));
}
