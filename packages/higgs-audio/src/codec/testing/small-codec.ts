import type { CodecConfig } from "../../checkpoint/codec-config.ts";
import { Backend, loadGgml } from "@higgs-worker/ggml";
import { RELEASED_CODEC_CONFIG } from "../../checkpoint/released-config.ts";

/** The released strides and kernels with few channels, so that the oracle is quick. */
export const SMALL_CODEC_CONFIG: CodecConfig = {
  ...RELEASED_CODEC_CONFIG,
  encoderHiddenSize: 4,
  decoderHiddenSize: 64,
  acousticHiddenSize: 12,
  quantizerDim: 36,
  numQuantizers: 3,
  codebookSize: 20,
  codebookDim: 8,
  hubert: {
    ...RELEASED_CODEC_CONFIG.hubert,
    hiddenSize: 24,
    intermediateSize: 40,
    numHiddenLayers: 2,
    numAttentionHeads: 4,
    convDim: [10, 10, 10, 10, 10, 10, 10],
    numConvPosEmbeddings: 16,
    numConvPosEmbeddingGroups: 3,
  },
};

export function openCpuBackend(): Backend {
  return Backend.open(loadGgml(), (device) => device.kind === "cpu", "cpu");
}

/** Seeded codes `[codebook][frame]` for a configuration. */
export function someCodes(config: CodecConfig, frames: number, seed: number): Int32Array[] {
  let state = seed * 7919 + 1;
  return Array.from({ length: config.numQuantizers }, () =>
    Int32Array.from({ length: frames }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * config.codebookSize);
    }),
  );
}

/** Largest absolute difference; infinite for lists of different length or NaN. */
export function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs((actual[i] ?? Number.NaN) - (expected[i] ?? Number.NaN));
    if (Number.isNaN(error)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, error);
  }
  return worst;
}
