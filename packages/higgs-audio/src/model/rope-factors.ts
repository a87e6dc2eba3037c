import type { HiggsConfig } from "../checkpoint/lm-config.ts";

/** Base with which ggml's own frequencies are all 1, so that only the factors turn a position into an angle. */
export const ROPE_FREQUENCY_BASE = 1;

/**
 * What to divide a position by to get the rotary angle of each pair of dimensions, llama3 scaling included
 * (spec model §4.4). Given to ggml as `freq_factors` with base 1: its usual way multiplies the angle by a rounded
 * ratio once per pair, which is off by some 1e-5 at position 500; one division is not.
 *
 * @returns f32 [headDim / 2], the inverse of each scaled frequency
 */
export function ropeDivisors(config: HiggsConfig): Float32Array {
  const { headDim, ropeTheta, ropeScaling } = config;
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings } = ropeScaling;
  const longest = originalMaxPositionEmbeddings / lowFreqFactor;
  const shortest = originalMaxPositionEmbeddings / highFreqFactor;
  return Float32Array.from({ length: headDim / 2 }, (_, j) => {
    const frequency = ropeTheta ** ((-2 * j) / headDim);
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength < shortest) return 1 / frequency;
    if (wavelength > longest) return factor / frequency;
    const smooth = (originalMaxPositionEmbeddings / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return 1 / (frequency * ((1 - smooth) / factor + smooth));
  });
}
