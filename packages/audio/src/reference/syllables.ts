import { speechWeight, withoutTags } from "./speech-weight.ts";

/** The first formant of vowels, without the hum below and the hiss of consonants above. */
const LOW_HERTZ = 300;
const HIGH_HERTZ = 1_000;

/** Interval of the loudness values, which are smoothed over five: shorter than any syllable. */
const BLOCK_SECONDS = 0.01;
const SMOOTHING_BLOCKS = 5;

/** A peak of loudness is a syllable if it stands out by this much from the dips beside it. */
const PROMINENCE_DB = 1;
/** Peaks this far below the loud ones are noise or breath. */
const RANGE_DB = 20;
const LOUD_SHARE = 0.9;
const FLOOR_DB = -100;

/**
 * How many syllables are heard: loudness peaks in the vowel band. Right to about a quarter for speech without background
 * music.
 */
export function countHeardSyllables(samples: Float32Array, sampleRateHz: number): number {
  const loudness = smoothed(bandEnergy(samples, sampleRateHz)).map((energy) =>
    Math.max(FLOOR_DB, 10 * Math.log10(energy)),
  );
  if (loudness.length === 0) return 0;
  const sorted = Float64Array.from(loudness).sort();
  const lowest = (sorted[Math.floor(LOUD_SHARE * sorted.length)] ?? 0) - RANGE_DB;
  let count = 0;
  let isRising = true;
  let extreme = Number.NEGATIVE_INFINITY;
  for (const level of loudness) {
    if (isRising ? level > extreme : level < extreme) extreme = level;
    else if (Math.abs(level - extreme) > PROMINENCE_DB) {
      if (isRising && extreme > lowest) count++;
      isRising = !isRising;
      extreme = level;
    }
  }
  return count;
}

/** Energy of each block, band-passed by two filters of the second order. */
function bandEnergy(samples: Float32Array, sampleRateHz: number): Float64Array {
  const blockSamples = Math.max(1, Math.round(sampleRateHz * BLOCK_SECONDS));
  const energies = new Float64Array(Math.floor(samples.length / blockSamples));
  const high = new Filter("high", LOW_HERTZ, sampleRateHz);
  const low = new Filter("low", Math.min(HIGH_HERTZ, sampleRateHz / 2.5), sampleRateHz);
  for (let block = 0; block < energies.length; block++) {
    let energy = 0;
    const end = (block + 1) * blockSamples;
    for (let index = block * blockSamples; index < end; index++) {
      energy += low.next(high.next(samples[index] as number)) ** 2;
    }
    energies[block] = energy / blockSamples;
  }
  return energies;
}

/** Butterworth, second order (the usual bilinear transform). */
class Filter {
  readonly #b0: number;
  readonly #b1: number;
  readonly #a1: number;
  readonly #a2: number;
  #x1 = 0;
  #x2 = 0;
  #y1 = 0;
  #y2 = 0;

  constructor(pass: "low" | "high", cutoffHz: number, sampleRateHz: number) {
    const angle = (2 * Math.PI * cutoffHz) / sampleRateHz;
    const cosine = Math.cos(angle);
    const alpha = Math.sin(angle) * Math.SQRT1_2;
    const a0 = 1 + alpha;
    const edge = pass === "low" ? 1 - cosine : 1 + cosine;
    this.#b0 = edge / 2 / a0;
    this.#b1 = (pass === "low" ? edge : -edge) / a0;
    this.#a1 = (-2 * cosine) / a0;
    this.#a2 = (1 - alpha) / a0;
  }

  next(x: number): number {
    const y = this.#b0 * (x + this.#x2) + this.#b1 * this.#x1 - this.#a1 * this.#y1 - this.#a2 * this.#y2;
    this.#x2 = this.#x1;
    this.#x1 = x;
    this.#y2 = this.#y1;
    this.#y1 = y;
    return y;
  }
}

function smoothed(energies: Float64Array): number[] {
  const half = SMOOTHING_BLOCKS >> 1;
  return Array.from(energies, (_, index) => {
    const around = energies.subarray(Math.max(0, index - half), index + half + 1);
    return around.reduce((sum, energy) => sum + energy, 0) / around.length;
  });
}

/** Runs of vowels in alphabets that write them; accents are removed first. */
const VOWELS = /[aeiouyæœøıаеёиоуыэюяіїєαεηιουω]+/g;

/** Letters of those alphabets. */
const ALPHABETIC = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]/gu;

/** Letters per syllable in scripts that omit vowels or write them as marks, and the weight of a Chinese character. */
const WEIGHT_OF_A_SYLLABLE = 3;

/** About how many syllables a transcript has: vowel runs, Chinese characters, and `speechWeight` for the rest. */
export function countWrittenSyllables(transcript: string): number {
  const text = withoutTags(transcript).toLowerCase().normalize("NFD").replaceAll(/\p{M}/gu, "").normalize("NFC");
  const vowels = text.match(VOWELS)?.length ?? 0;
  return vowels + speechWeight(text.replaceAll(ALPHABETIC, "")) / WEIGHT_OF_A_SYLLABLE;
}
