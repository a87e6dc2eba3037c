import { Resampler } from "../resample/resample.ts";

/** Blocks of 400 ms that begin every 100 ms (ITU-R BS.1770-5, annex 1). */
const STEP_SECONDS = 0.1;
const STEPS_IN_BLOCK = 4;
/** Of a sine of 1 kHz, whose loudness is its level. */
const OFFSET_LUFS = -0.691;
const ABSOLUTE_GATE_LUFS = -70;
/** Below the loudness of all blocks above the absolute gate. */
const RELATIVE_GATE_LU = 10;

const PEAK_OVERSAMPLING = 4;
/** Of normalized audio: codecs overshoot a little (EBU R 128). */
const MAX_TRUE_PEAK = 10 ** (-1 / 20);

export interface Normalized {
  readonly pcm: Float32Array;
  /** What was reached; less than the target where peaks would clip, null where there is nothing to measure. */
  readonly lufs: number | null;
}

/**
 * The same audio with a gain that makes its integrated loudness `targetLufs`, or as near as a true peak of −1 dB allows. Silence and
 * audio below 0.4 s have no loudness and stay as they are.
 */
export function normalizeLoudness(pcm: Float32Array, sampleRateHz: number, targetLufs: number): Normalized {
  const lufs = integratedLoudness(pcm, sampleRateHz);
  if (lufs === null) return { pcm, lufs };
  const wanted = 10 ** ((targetLufs - lufs) / 20);
  const gain = Math.min(wanted, MAX_TRUE_PEAK / truePeak(pcm, sampleRateHz));
  return { pcm: pcm.map((sample) => sample * gain), lufs: lufs + 20 * Math.log10(gain) };
}

/** Integrated loudness of mono audio in LUFS (ITU-R BS.1770-5); null when no block is above the gates. */
export function integratedLoudness(pcm: Float32Array, sampleRateHz: number): number | null {
  const steps = stepEnergies(pcm, sampleRateHz);
  const blocks: number[] = [];
  for (let end = STEPS_IN_BLOCK; end <= steps.length; end++) {
    blocks.push(mean(steps.slice(end - STEPS_IN_BLOCK, end)));
  }
  const audible = blocks.filter((energy) => loudnessOf(energy) > ABSOLUTE_GATE_LUFS);
  const gate = loudnessOf(mean(audible)) - RELATIVE_GATE_LU;
  const counted = audible.filter((energy) => loudnessOf(energy) > gate);
  return counted.length === 0 ? null : loudnessOf(mean(counted));
}

/** The largest value between the samples too, at four times the rate. */
export function truePeak(pcm: Float32Array, sampleRateHz: number): number {
  const resampler = new Resampler(sampleRateHz, sampleRateHz * PEAK_OVERSAMPLING);
  const step = sampleRateHz;
  let peak = 0;
  const look = (samples: Float32Array) => {
    for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  };
  for (let start = 0; start < pcm.length; start += step) look(resampler.write(pcm.subarray(start, start + step)));
  look(resampler.end());
  return peak;
}

/** Mean energy of the weighted samples in each complete step. */
function stepEnergies(pcm: Float32Array, sampleRateHz: number): number[] {
  const stepSamples = Math.round(sampleRateHz * STEP_SECONDS);
  const [shelf, highPass] = [biquad(shelfOf(sampleRateHz)), biquad(highPassOf(sampleRateHz))];
  const energies: number[] = [];
  let energy = 0;
  for (const [i, sample] of pcm.entries()) {
    energy += highPass(shelf(sample)) ** 2;
    if ((i + 1) % stepSamples !== 0) continue;
    energies.push(energy / stepSamples);
    energy = 0;
  }
  return energies;
}

function loudnessOf(energy: number): number {
  return OFFSET_LUFS + 10 * Math.log10(energy);
}

/** NaN of nothing, which no comparison is true for. */
function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

interface Biquad {
  readonly b: readonly [number, number, number];
  readonly a: readonly [number, number];
}

/**
 * The two filters of K weighting for any sample rate. The recommendation gives their coefficients for 48 kHz; these are the frequency, gain
 * and quality that they were made of.
 */
function shelfOf(sampleRateHz: number): Biquad {
  const { k, damping, unit } = prototype(1_681.974_450_955_53, 0.707_175_236_955_42, sampleRateHz);
  const gain = 10 ** (3.999_843_853_973_35 / 20);
  const band = gain ** 0.499_666_774_154_54;
  return {
    b: [(gain + band * damping + k * k) / unit, (2 * (k * k - gain)) / unit, (gain - band * damping + k * k) / unit],
    a: poles(k, damping, unit),
  };
}

function highPassOf(sampleRateHz: number): Biquad {
  const { k, damping, unit } = prototype(38.135_470_876_024_4, 0.500_327_037_323_877, sampleRateHz);
  return { b: [1, -2, 1], a: poles(k, damping, unit) };
}

function prototype(frequencyHz: number, quality: number, sampleRateHz: number) {
  const k = Math.tan((Math.PI * frequencyHz) / sampleRateHz);
  return { k, damping: k / quality, unit: 1 + k / quality + k * k };
}

function poles(k: number, damping: number, unit: number): [number, number] {
  return [(2 * (k * k - 1)) / unit, (1 - damping + k * k) / unit];
}

/** Direct form II, transposed. */
function biquad({ b, a }: Biquad): (sample: number) => number {
  let first = 0;
  let second = 0;
  return (sample) => {
    const out = b[0] * sample + first;
    first = b[1] * sample - a[0] * out + second;
    second = b[2] * sample - a[1] * out;
    return out;
  };
}
