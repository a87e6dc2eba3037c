import wsola from "@audio/stretch-wsola";
import { concatenateSamples } from "@higgs-worker/base";

/** Fastest and slowest: beyond, speech is not understood or falls apart. */
export const MIN_SPEED = 0.25;
export const MAX_SPEED = 4;

/**
 * The library looks for the best place to go on among the samples that it has, so that its result depends on how many it is given at a time.
 * Always as many makes it the same for whole audio and for audio in parts.
 */
const BLOCK_SAMPLES = 960;
/** 43 ms at 24 kHz, some periods of a voice; longer ones repeat syllables, shorter ones lose low voices. */
const WINDOW_SAMPLES = 1024;

/**
 * Speech faster or slower at the same pitch, while it arrives: all results together are `round(samples / speed)` samples and do not depend on the parts.
 * Made for voices at 24 kHz.
 */
export class TimeStretch {
  readonly #speed: number;
  /** Null at the natural speed. */
  readonly #stretch: ((block?: Float32Array) => Float32Array) | null;
  /** Samples that do not fill a block yet. */
  #rest = new Float32Array(0);
  #received = 0;
  #made = 0;

  constructor(speed: number) {
    if (!(speed >= MIN_SPEED && speed <= MAX_SPEED)) throw new RangeError(`Not a speed: ${speed}`);
    this.#speed = speed;
    this.#stretch = speed === 1 ? null : wsola({ factor: 1 / speed, frameSize: WINDOW_SAMPLES });
  }

  /** The samples that are certain with these; up to two windows are held back. */
  write(pcm: Float32Array): Float32Array {
    const stretch = this.#stretch;
    if (stretch === null) return pcm.slice();
    this.#received += pcm.length;
    const samples = concatenateSamples([this.#rest, pcm]);
    const parts: Float32Array[] = [];
    let place = 0;
    for (; place + BLOCK_SAMPLES <= samples.length; place += BLOCK_SAMPLES) {
      parts.push(stretch(samples.slice(place, place + BLOCK_SAMPLES)).slice());
    }
    this.#rest = samples.slice(place);
    return this.#upTo(Math.floor(this.#received / this.#speed), parts);
  }

  /** The rest. */
  end(): Float32Array {
    const stretch = this.#stretch;
    if (stretch === null) return new Float32Array(0);
    const last = [stretch(this.#rest).slice(), stretch().slice()];
    this.#rest = new Float32Array(0);
    const length = Math.round(this.#received / this.#speed);
    // Of a few samples nothing may be left; no sample at all would be no audio.
    return this.#upTo(this.#received === 0 ? 0 : Math.max(1, length), last);
  }

  /** The parts, cut where all samples would be more than `limit`. */
  #upTo(limit: number, parts: readonly Float32Array[]): Float32Array {
    const samples = concatenateSamples(parts).slice(0, limit - this.#made);
    this.#made += samples.length;
    return samples;
  }
}
