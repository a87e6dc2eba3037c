import type { LanguageModel } from "./language-model.ts";

/**
 * Below this a decode step is over in a few milliseconds, most of which several threads would spend waiting for each other;
 * on an otherwise busy machine they wait much longer (measured: 20 times slower with two threads on two busy cores).
 */
const SINGLE_THREAD_BYTES = 1e8;

/** Whether a model is so small that one thread of a CPU computes it fastest. */
export function isFastestOnOneThread({ weightBytes }: Pick<LanguageModel, "weightBytes">): boolean {
  return weightBytes < SINGLE_THREAD_BYTES;
}
