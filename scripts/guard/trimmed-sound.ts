import { speechBounds } from "@higgs-worker/higgs-audio/guard";
import { SAMPLE_RATE_HZ } from "./judge.ts";

/** What trimming leaves on each side of the speech. */
const KEPT_SAMPLES = 0.1 * SAMPLE_RATE_HZ;
const BLOCK_SAMPLES = 0.01 * SAMPLE_RATE_HZ;
const SILENT_DB = -120;

/**
 * The loudest block that trimming takes away, in dB of the block that a tenth of all are louder than. Of the difference of neighboring
 * samples too, in which a fricative is as loud as a vowel: the larger of both.
 */
export function loudestTrimmedDb(pcm: Float32Array): number {
  const { startSample, endSample } = speechBounds(pcm, SAMPLE_RATE_HZ);
  const difference = pcm.map((sample, i) => sample - (pcm[i - 1] ?? 0));
  return Math.max(...[pcm, difference].map((signal) => loudestOutside(signal, startSample, endSample)));
}

function loudestOutside(signal: Float32Array, startSample: number, endSample: number): number {
  let outside = SILENT_DB;
  const levels: number[] = [];
  for (let start = 0; start + BLOCK_SAMPLES <= signal.length; start += BLOCK_SAMPLES) {
    const block = signal.subarray(start, start + BLOCK_SAMPLES);
    const level = 10 * Math.log10(block.reduce((sum, sample) => sum + sample * sample, 1e-12) / BLOCK_SAMPLES);
    levels.push(level);
    const isCut = start + BLOCK_SAMPLES <= startSample - KEPT_SAMPLES || start >= endSample + KEPT_SAMPLES;
    if (isCut) outside = Math.max(outside, level);
  }
  const loud = levels.toSorted((a, b) => a - b)[Math.floor(0.9 * levels.length)] ?? 0;
  return outside - loud;
}
