import { fft } from "fourier-transform";
import { LEAST_DB } from "./levels.ts";

const HOP_SECONDS = 0.02;
const WINDOW_SECONDS = 0.04;
const LOWEST_HZ = 80;
const HIGHEST_HZ = 8000;
/** Where breath, hiss and fricatives differ from vowels. */
const FLATNESS_LOWEST_HZ = 300;

/** Mel bands from 80 Hz to 8 kHz. */
export const BAND_COUNT = 24;

/** Spectra of windows of 40 ms, every 20 ms. */
export interface Spectrum {
  readonly frames: number;
  readonly hopSeconds: number;
  /** Level of each mel band in dB: `bandsDb[frame * BAND_COUNT + band]`. */
  readonly bandsDb: Float32Array;
  /** Spectral flatness from 300 Hz to 8 kHz in dB: near −2.5 for white noise, −25 for a vowel. */
  readonly flatnessDb: Float32Array;
}

/** What depends on the sample rate only. */
interface Plan {
  readonly size: number;
  readonly windowSamples: number;
  readonly window: Float64Array;
  /** First bin of each band and, last, the end of the last one. */
  readonly edges: Int32Array;
  readonly flatnessStart: number;
  readonly input: Float64Array;
  readonly output: [Float64Array, Float64Array];
}

/** Spectra of the whole audio; none if it is shorter than a window. */
export function measureSpectrum(pcm: Float32Array, sampleRateHz: number): Spectrum {
  const plan = planFor(sampleRateHz);
  const hopSamples = Math.round(HOP_SECONDS * sampleRateHz);
  const frames = Math.max(0, Math.floor((pcm.length - plan.windowSamples) / hopSamples) + 1);
  const bandsDb = new Float32Array(frames * BAND_COUNT);
  const flatnessDb = new Float32Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    transform(plan, pcm, frame * hopSamples);
    flatnessDb[frame] = readBands(plan, bandsDb, frame * BAND_COUNT);
  }
  return { frames, hopSeconds: hopSamples / sampleRateHz, bandsDb, flatnessDb };
}

function transform({ window, windowSamples, input, output }: Plan, pcm: Float32Array, start: number): void {
  for (let i = 0; i < windowSamples; i++) {
    const sample = pcm[start + i] as number;
    input[i] = Number.isFinite(sample) ? sample * (window[i] as number) : 0;
  }
  fft(input, output);
}

/** Writes the bands of the transformed window and returns its flatness. */
function readBands({ edges, flatnessStart, output: [re, im] }: Plan, bandsDb: Float32Array, offset: number): number {
  let logSum = 0;
  let sum = 0;
  let bins = 0;
  for (let band = 0; band < BAND_COUNT; band++) {
    const start = edges[band] as number;
    const end = edges[band + 1] as number;
    let power = 0;
    // One logarithm for several bins: that of their product.
    let product = 1;
    for (let bin = start; bin < end; bin++) {
      const own = (re[bin] as number) ** 2 + (im[bin] as number) ** 2 + 1e-12;
      power += own;
      if (bin < flatnessStart) continue;
      sum += own;
      bins++;
      product *= own;
      if (product < 1e-200 || product > 1e200) {
        logSum += Math.log(product);
        product = 1;
      }
    }
    logSum += Math.log(product);
    bandsDb[offset + band] = Math.max(LEAST_DB, 10 * Math.log10(power / (end - start)));
  }
  return (10 / Math.LN10) * (logSum / bins - Math.log(sum / bins));
}

let lastPlan: { readonly sampleRateHz: number; readonly plan: Plan } | null = null;

/** The plan of a sample rate is kept: a model has one rate. */
function planFor(sampleRateHz: number): Plan {
  if (lastPlan?.sampleRateHz !== sampleRateHz) lastPlan = { sampleRateHz, plan: makePlan(sampleRateHz) };
  return lastPlan.plan;
}

function makePlan(sampleRateHz: number): Plan {
  const windowSamples = Math.round(WINDOW_SECONDS * sampleRateHz);
  const size = 2 ** Math.ceil(Math.log2(windowSamples));
  const binHz = sampleRateHz / size;
  const highestHz = Math.min(HIGHEST_HZ, sampleRateHz / 2);
  const lowest = melOf(LOWEST_HZ);
  const step = (melOf(highestHz) - lowest) / BAND_COUNT;
  const edges = Int32Array.from({ length: BAND_COUNT + 1 }, (_, edge) =>
    Math.round(hertzOf(lowest + edge * step) / binHz),
  );
  // The lowest bands may be narrower than a bin.
  for (let edge = 1; edge <= BAND_COUNT; edge++) {
    edges[edge] = Math.max(edges[edge] as number, (edges[edge - 1] as number) + 1);
  }
  // Divided by the window's sum of squares, so that levels are those of the signal.
  const window = Float64Array.from(
    { length: windowSamples },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / windowSamples),
  );
  const scale = 1 / Math.sqrt(window.reduce((sum, value) => sum + value * value, 0));
  return {
    size,
    windowSamples,
    window: window.map((value) => value * scale),
    edges,
    flatnessStart: Math.ceil(FLATNESS_LOWEST_HZ / binHz),
    input: new Float64Array(size),
    output: [new Float64Array(size / 2 + 1), new Float64Array(size / 2 + 1)],
  };
}

function melOf(hertz: number): number {
  return 2595 * Math.log10(1 + hertz / 700);
}

function hertzOf(mel: number): number {
  return 700 * (10 ** (mel / 2595) - 1);
}
