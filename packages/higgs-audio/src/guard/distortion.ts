import type { Levels } from "./levels.ts";
import type { Measured } from "./measured.ts";
import type { GuardThresholds } from "./thresholds.ts";

/** The highest value of 16 bits; what is beyond is cut off in every integer format. */
const CLIP_LEVEL = 32_767 / 32_768;

/** Samples at or beyond full scale, and samples that are no numbers, as a share of all. */
export function measureClipping(pcm: Float32Array, sampleRateHz: number, thresholds: GuardThresholds): Measured {
  let clipped = 0;
  let first = 0;
  let last = 0;
  for (let i = 0; i < pcm.length; i++) {
    // Not a number is no smaller either.
    if (Math.abs(pcm[i] as number) < CLIP_LEVEL) continue;
    if (clipped === 0) first = i;
    last = i + 1;
    clipped++;
  }
  const value = pcm.length === 0 ? 0 : clipped / pcm.length;
  const limit = thresholds.clippedShare;
  return {
    excess: value / limit,
    finding: {
      code: "CLIPPING",
      startSeconds: first / sampleRateHz,
      endSeconds: last / sampleRateHz,
      detail: `samples beyond full scale (got ${(100 * value).toFixed(2)} %, limit ${100 * limit} %)`,
      value,
      limit,
      isBad: true,
    },
  };
}

/** A mean that is not zero. */
export function measureOffset({ mean, blockSeconds, levelDb }: Levels, thresholds: GuardThresholds): Measured {
  const value = Math.abs(mean);
  const limit = thresholds.dcOffset;
  return {
    excess: value / limit,
    finding: {
      code: "DC_OFFSET",
      startSeconds: 0,
      endSeconds: levelDb.length * blockSeconds,
      detail: `a constant offset (got ${(100 * mean).toFixed(2)} % of full scale, limit ${100 * limit} %)`,
      value,
      limit,
      isBad: true,
    },
  };
}
