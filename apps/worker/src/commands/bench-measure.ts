import type { SpeechModel, SpeechRequest } from "@higgs-worker/higgs-audio";
import type { BenchRow } from "../bench/report.ts";
import type { ModelLoader } from "../model/load-model.ts";
import { findModel } from "../model/locations.ts";
import type { CommandContext } from "./command-context.ts";

export interface BenchContext extends CommandContext {
  readonly signal: AbortSignal;
  readonly loadModel: ModelLoader;
  /** The released shapes with random weights instead of a checkpoint. */
  readonly isRandom: boolean;
  /** Layers of random weights; null: all 28. */
  readonly layers: number | null;
  /** Sequences at once, for the sweep. */
  readonly batches: readonly number[];
  /** Decode steps that are measured, after two thirds as many for warming up. */
  readonly steps: number;
}

/** Yields each row as soon as it is measured. */
export type BenchMeasure = (context: BenchContext) => AsyncIterable<BenchRow>;

/** Measures a whole model, which is loaded before in `loadMs` and freed after; nothing with random weights, which have no tokenizer and cannot speak. */
export function withSpeechModel(
  measure: (model: SpeechModel, context: BenchContext, loadMs: number) => AsyncIterable<BenchRow>,
): BenchMeasure {
  return async function* (context) {
    const { config, logger, signal, isRandom, loadModel } = context;
    if (isRandom) return;
    const startMs = performance.now();
    const model = await loadModel(findModel(config, { allowDemo: true }), config, { logger, signal });
    try {
      yield* measure(model, context, performance.now() - startMs);
    } finally {
      await model[Symbol.asyncDispose]();
    }
  };
}

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

export interface Timing {
  readonly wallMs: number;
  /** Processor time of this process, all threads together. */
  readonly processorMs: number;
}

/** Runs the work and tells what it took. */
export async function timed(work: () => Promise<unknown>): Promise<Timing> {
  const before = process.cpuUsage();
  const startMs = performance.now();
  await work();
  const wallMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  return { wallMs, processorMs: (user + system) / 1000 };
}

/** The medians of wall and of processor time, each by itself. */
export function medianTiming(timings: readonly Timing[]): Timing {
  return {
    wallMs: median(timings.map(({ wallMs }) => wallMs)),
    processorMs: median(timings.map(({ processorMs }) => processorMs)),
  };
}

/** Both times in seconds of so many seconds of audio: the value and the processor time of a row. */
export function perSecond({ wallMs, processorMs }: Timing, audioSeconds: number) {
  return { value: wallMs / 1000 / audioSeconds, processor: processorMs / 1000 / audioSeconds };
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
