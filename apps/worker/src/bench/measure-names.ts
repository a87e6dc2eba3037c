/** What `higgs bench` can measure, in the order in which it does. */
export const MEASURE_NAMES = [
  "model",
  "decode",
  "batch",
  "codec",
  "encode",
  "end-to-end",
  "first-audio",
  "voice",
  "long",
  "memory",
] as const;

export type MeasureName = (typeof MEASURE_NAMES)[number];

/** Sequences that are generated at once in the sweep, unless others are asked for. */
export const DEFAULT_BATCHES: readonly number[] = [1, 2, 4, 8];

/** Decode steps that are measured: two seconds of audio. */
export const DEFAULT_STEPS = 48;
