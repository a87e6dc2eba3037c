import { concatenateSamples } from "@higgs-worker/base";
import { makeFilterBank, type FilterBank } from "./filter-bank.ts";

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
  const resampler = new Resampler(fromHz, toHz);
  const body = resampler.write(pcm);
  const tail = resampler.end();
  return body.length === 0 ? tail : concatenateSamples([body, tail]);
}

/** `resample` of audio that arrives in parts: all results together are the same samples, whatever the parts are. */
export class Resampler {
  readonly #fromHz: number;
  readonly #toHz: number;
  /** Null when the rates are equal. */
  readonly #bank: FilterBank | null;
  /** The last inputs, those that coming outputs are made of. */
  #inputs = new Float32Array(0);
  /** Place of the first of them. */
  #start = 0;
  /** Outputs so far, and the place of the next one among the inputs: `#base + #phase / phases`. */
  #made = 0;
  #base = 0;
  #phase = 0;

  constructor(fromHz: number, toHz: number) {
    for (const rate of [fromHz, toHz]) {
      if (!Number.isSafeInteger(rate) || rate <= 0) throw new RangeError(`Not a sample rate: ${rate}`);
    }
    this.#fromHz = fromHz;
    this.#toHz = toHz;
    this.#bank = fromHz === toHz ? null : makeFilterBank(fromHz, toHz);
  }

  /** The samples that are certain with these inputs; half the filter's width is always held back. */
  write(pcm: Float32Array): Float32Array {
    const bank = this.#bank;
    if (bank === null) return pcm.slice();
    this.#append(pcm, bank);
    // An output needs the inputs up to `#base + taps / 2`.
    const known = this.#start + this.#inputs.length - bank.taps / 2;
    const places = (known - this.#base) * bank.phases - this.#phase;
    return this.#filter(Math.max(0, Math.ceil(places / bank.step)), bank);
  }

  /** The rest. */
  end(): Float32Array {
    const bank = this.#bank;
    if (bank === null) return new Float32Array(0);
    const received = this.#start + this.#inputs.length;
    const made = this.#made;
    const length = resampledLength(received, this.#fromHz, this.#toHz);
    const filtered = Math.min(length, Math.floor((received * bank.phases) / bank.step + 0.5));
    const out = new Float32Array(length - made);
    out.set(this.#filter(filtered - made, bank));
    return out;
  }

  #append(pcm: Float32Array, { taps }: FilterBank): void {
    const first = Math.max(this.#start, Math.min(this.#base - (taps / 2 - 1), this.#start + this.#inputs.length));
    const kept = this.#inputs.subarray(first - this.#start);
    const inputs = new Float32Array(kept.length + pcm.length);
    inputs.set(kept);
    inputs.set(pcm, kept.length);
    this.#inputs = inputs;
    this.#start = first;
  }

  /** The next `count` outputs; inputs beyond the known ones are 0. */
  #filter(count: number, { taps, step, phases, filter }: FilterBank): Float32Array {
    const out = new Float32Array(count);
    const reach = taps / 2 - 1 + this.#start;
    for (let i = 0; i < count; i++) {
      out[i] = filter(this.#inputs, this.#base - reach, this.#phase);
      this.#phase += step;
      this.#base += Math.floor(this.#phase / phases);
      this.#phase %= phases;
    }
    this.#made += count;
    return out;
  }
}
