import { makeFilterBank } from "./filter-bank.ts";

/** Length of `resample`'s result: librosa's floating-point rule, which can give one more than the exact length. */
export function resampledLength(sampleCount: number, fromHz: number, toHz: number): number {
  return Math.ceil(sampleCount * (toHz / fromHz));
}

/**
 * Mono PCM at another rate, at the quality and with the pass band of soxr "HQ" (what librosa uses): linear in phase, sums
 * in float64, aliases and images more than 100 dB down. Both rates are whole numbers above 0.
 *
 * The length is `resampledLength`. The filter covers as many samples as soxr returns (the exact length, rounded); the rest,
 * at most one sample, is 0 (spec model §10.1).
 */
export function resample(pcm: Float32Array, fromHz: number, toHz: number): Float32Array {
  for (const rate of [fromHz, toHz]) {
    if (!Number.isSafeInteger(rate) || rate <= 0) throw new RangeError(`Not a sample rate: ${rate}`);
  }
  if (fromHz === toHz) return pcm.slice();
  const { taps, step, phases, filter } = makeFilterBank(fromHz, toHz);
  const out = new Float32Array(resampledLength(pcm.length, fromHz, toHz));
  const filtered = Math.min(out.length, Math.floor((pcm.length * phases) / step + 0.5));
  const reach = taps / 2 - 1;
  let base = 0;
  let phase = 0;
  for (let i = 0; i < filtered; i++) {
    out[i] = filter(pcm, base - reach, phase);
    phase += step;
    base += Math.floor(phase / phases);
    phase %= phases;
  }
  return out;
}
