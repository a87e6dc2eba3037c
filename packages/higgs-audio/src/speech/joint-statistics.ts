import { fft } from "fourier-transform";

/** What is heard as a click, measured in a short stretch of audio. */
export interface ClickMeasures {
  /** Largest step from one sample to the next, of full scale. */
  readonly step: number;
  /** Largest growth of the magnitude spectrum from one window of 10.7 ms to the next, 2.7 ms later. */
  readonly flux: number;
  /** Largest curvature (second difference) against that of the 20 ms around: an impulse in silence is small and yet stands out. */
  readonly prominence: number;
}

/** How one joint compares with the inside of speech: shares of inside stretches (0 … 1) that have a smaller value. */
export interface JointRanks {
  readonly sample: number;
  readonly measures: ClickMeasures;
  readonly ranks: ClickMeasures;
}

const MEASURES = ["step", "flux", "prominence"] as const;

/** A joint and each stretch of the inside: ± so much. */
const REACH_SECONDS = 0.006;
const WINDOW_SAMPLES = 256;
const HOP_SAMPLES = 64;
const SURROUNDINGS_SECONDS = 0.02;
/** The least surroundings that count, −70 dBFS: what is below is not heard beside speech, however it stands out. */
const LEAST_CURVATURE = 10 ** (-70 / 20);

/**
 * Compares joints with the inside of the audio: every stretch of the same length that is not at a joint. `joints` are samples,
 * each the first of what follows.
 */
export function rankJoints(pcm: Float32Array, sampleRateHz: number, joints: readonly number[]): JointRanks[] {
  const reach = Math.round(REACH_SECONDS * sampleRateHz);
  const isNearJoint = (sample: number) => joints.some((joint) => Math.abs(joint - sample) < 4 * reach);
  const inside: ClickMeasures[] = [];
  for (let at = reach; at + reach < pcm.length; at += 2 * reach) {
    // Silence has no clicks, and would make every joint look loud.
    if (!isNearJoint(at) && !isSilent(pcm, at - reach, at + reach)) inside.push(measureAt(pcm, sampleRateHz, at));
  }
  const sorted = new Map(
    MEASURES.map((name) => [name, Float64Array.from(inside, (measures) => measures[name]).toSorted()]),
  );
  const rank = (measures: ClickMeasures, name: (typeof MEASURES)[number]): number => {
    const values = sorted.get(name) ?? new Float64Array(0);
    return values.filter((value) => value < measures[name]).length / Math.max(1, values.length);
  };
  return joints.map((sample) => {
    const measures = measureAt(pcm, sampleRateHz, sample);
    const ranks = {
      step: rank(measures, "step"),
      flux: rank(measures, "flux"),
      prominence: rank(measures, "prominence"),
    };
    return { sample, measures, ranks };
  });
}

/** Measures the stretch around a sample. */
function measureAt(pcm: Float32Array, sampleRateHz: number, at: number): ClickMeasures {
  const reach = Math.round(REACH_SECONDS * sampleRateHz);
  const from = at - reach;
  const to = at + reach;
  let step = 0;
  let curvature = 0;
  for (let i = from; i < to; i++) {
    step = Math.max(step, Math.abs(sampleOf(pcm, i) - sampleOf(pcm, i - 1)));
    curvature = Math.max(curvature, Math.abs(curvatureAt(pcm, i)));
  }
  const around = Math.round(SURROUNDINGS_SECONDS * sampleRateHz);
  let sum = 0;
  for (let i = at - around; i < at + around; i++) sum += curvatureAt(pcm, i) ** 2;
  const usual = Math.sqrt(sum / (2 * around));
  const prominence = curvature / Math.max(usual, LEAST_CURVATURE);
  return { step, flux: fluxBetween(pcm, from, to), prominence };
}

function curvatureAt(pcm: Float32Array, i: number): number {
  return sampleOf(pcm, i + 1) - 2 * sampleOf(pcm, i) + sampleOf(pcm, i - 1);
}

/** The audio is silent beyond its ends. */
function sampleOf(pcm: Float32Array, index: number): number {
  return pcm[index] ?? 0;
}

function isSilent(pcm: Float32Array, from: number, to: number): boolean {
  return pcm.subarray(from, to).every((sample) => sample === 0);
}

const HANN = Float64Array.from(
  { length: WINDOW_SAMPLES },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW_SAMPLES),
);

/** Largest growth of the spectrum over windows that reach into [from, to). */
function fluxBetween(pcm: Float32Array, from: number, to: number): number {
  const bins = WINDOW_SAMPLES / 2 + 1;
  const input = new Float64Array(WINDOW_SAMPLES);
  const output: [Float64Array, Float64Array] = [new Float64Array(bins), new Float64Array(bins)];
  let before: Float64Array | null = null;
  let largest = 0;
  for (let start = from - WINDOW_SAMPLES; start < to; start += HOP_SAMPLES) {
    for (let i = 0; i < WINDOW_SAMPLES; i++) input[i] = sampleOf(pcm, start + i) * (HANN[i] as number);
    const [re, im] = fft(input, output);
    const magnitudes = re.map((real, bin) => Math.hypot(real, im[bin] as number));
    const growth = before;
    if (growth !== null) {
      const flux = magnitudes.reduce(
        (sum, magnitude, bin) => sum + Math.max(0, magnitude - (growth[bin] as number)),
        0,
      );
      largest = Math.max(largest, flux);
    }
    before = magnitudes;
  }
  return largest;
}
