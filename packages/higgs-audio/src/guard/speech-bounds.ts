/** Where speech begins and ends in audio that is still being made. */

/** Levels are those of blocks of 10 ms. */
const BLOCK_SECONDS = 0.01;
/** Speech begins with the first block that is louder. */
const ONSET_DB = -55;
/** Speech goes on while it is within so much of its loudest block: the "s" of "house" is 25 dB below the vowels … */
const RANGE_DB = 40;
/** … in absolute terms between these: the first is below what is heard beside speech, the second still a soft ending. */
const QUIETEST_DB = -75;
const LOUDEST_FLOOR_DB = -50;

/** Noise at the end is at least so much below the loudest block, … */
const NOISE_BELOW_DB = 20;
/** … changes by no more than this (blocks averaged over five), … */
const NOISE_SPREAD_DB = 8;
const SMOOTHED_BLOCKS = 5;
/** … and lasts at least this long; the longest "s" does not. */
const NOISE_SECONDS = 0.4;

/** Below voices; takes away what is not heard, such as an offset. */
const HIGH_PASS_HZ = 50;

/** Samples from the first sound of speech to behind the last. Both are 0 where there is no speech. */
export interface SpeechBounds {
  readonly startSample: number;
  readonly endSample: number;
}

/**
 * Finds speech between silence and noise. The result depends on the samples only, not on how they are pushed, and what is certain
 * stays so:
 *
 * - speech begins with the first block above −55 dBFS;
 * - it ends with the last block within 40 dB of the loudest so far (at least −75, at most −50 dBFS) …
 * - … or with what is before it, if the last blocks are steady noise: 0.4 s or longer, within 8 dB, 20 dB below the loudest.
 */
export class SpeechBoundsFinder {
  readonly #blockSamples: number;
  readonly #noiseBlocks: number;
  readonly #keep: number;
  /** Of the high-pass filter: the last sample that went in and the last that came out. */
  #lastIn = 0;
  #lastOut = 0;
  /** Of the block that is not full. */
  #energy = 0;
  #samples = 0;
  #block = 0;
  #startBlock: number | null = null;
  /** Behind the last block of speech or noise. */
  #endBlock = 0;
  #loudestDb = Number.NEGATIVE_INFINITY;
  /** The last powers, for the average. */
  readonly #powers: number[] = [];
  readonly #steady = new SteadyRun(NOISE_SPREAD_DB);
  /** Where the steady run began that holds the last block within range. */
  #noiseStart = 0;

  constructor(sampleRateHz: number) {
    this.#blockSamples = Math.max(1, Math.round(sampleRateHz * BLOCK_SECONDS));
    this.#noiseBlocks = Math.round(NOISE_SECONDS / BLOCK_SECONDS);
    this.#keep = Math.exp((-2 * Math.PI * HIGH_PASS_HZ) / sampleRateHz);
  }

  /** Takes the next samples. */
  push(pcm: Float32Array): void {
    for (let i = 0; i < pcm.length; i++) {
      const sample = pcm[i] as number;
      const out = this.#keep * (this.#lastOut + sample - this.#lastIn);
      this.#lastIn = sample;
      this.#lastOut = out;
      this.#energy += out * out;
      this.#samples++;
      if (this.#samples === this.#blockSamples) this.#endOfBlock();
    }
  }

  /** Where speech begins; null as long as there is none. */
  get startSample(): number | null {
    return this.#startBlock === null ? null : this.#startBlock * this.#blockSamples;
  }

  /** Speech goes on at least to here, whatever comes. Only grows. */
  get certainEndSample(): number {
    return (this.#startBlock === null ? 0 : Math.min(this.#noiseStart, this.#endBlock)) * this.#blockSamples;
  }

  /** The bounds if no more samples come. */
  get bounds(): SpeechBounds {
    if (this.#startBlock === null) return { startSample: 0, endSample: 0 };
    const isNoise = this.#endBlock - this.#noiseStart >= this.#noiseBlocks;
    const endBlock = isNoise ? this.#noiseStart : this.#endBlock;
    return { startSample: this.#startBlock * this.#blockSamples, endSample: endBlock * this.#blockSamples };
  }

  #endOfBlock(): void {
    const power = this.#energy / this.#blockSamples;
    const levelDb = decibels(power);
    const block = this.#block;
    this.#energy = 0;
    this.#samples = 0;
    this.#block++;
    this.#powers.push(power);
    if (this.#powers.length > SMOOTHED_BLOCKS) this.#powers.shift();
    if (this.#startBlock === null && levelDb > ONSET_DB) this.#startBlock = block;
    if (this.#startBlock === null) return;
    this.#loudestDb = Math.max(this.#loudestDb, levelDb);
    const floorDb = Math.min(LOUDEST_FLOOR_DB, Math.max(QUIETEST_DB, this.#loudestDb - RANGE_DB));
    const smoothDb = decibels(this.#powers.reduce((sum, own) => sum + own, 0) / this.#powers.length);
    if (smoothDb > this.#loudestDb - NOISE_BELOW_DB) this.#steady.reset(block + 1);
    else this.#steady.push(block, smoothDb);
    if (levelDb <= floorDb) return;
    this.#endBlock = block + 1;
    this.#noiseStart = Math.min(this.#steady.start, block + 1);
  }
}

/** The bounds of speech in whole audio. */
export function speechBounds(pcm: Float32Array, sampleRateHz: number): SpeechBounds {
  const finder = new SpeechBoundsFinder(sampleRateHz);
  finder.push(pcm);
  return finder.bounds;
}

/** The longest run up to the last value in which all values are within a spread. */
class SteadyRun {
  readonly #spread: number;
  /** Places and values of the run that can still become its smallest or largest. */
  #lows: (readonly [number, number])[] = [];
  #highs: (readonly [number, number])[] = [];
  /** Place of the run's first value. */
  start = 0;

  constructor(spread: number) {
    this.#spread = spread;
  }

  push(place: number, value: number): void {
    while ((this.#lows.at(-1)?.[1] ?? Number.NEGATIVE_INFINITY) >= value) this.#lows.pop();
    while ((this.#highs.at(-1)?.[1] ?? Number.POSITIVE_INFINITY) <= value) this.#highs.pop();
    this.#lows.push([place, value]);
    this.#highs.push([place, value]);
    while ((this.#highs[0]?.[1] ?? value) - (this.#lows[0]?.[1] ?? value) > this.#spread) {
      this.start++;
      if ((this.#lows[0]?.[0] ?? place) < this.start) this.#lows.shift();
      if ((this.#highs[0]?.[0] ?? place) < this.start) this.#highs.shift();
    }
  }

  /** Begins anew at a place. */
  reset(start: number): void {
    this.start = start;
    this.#lows = [];
    this.#highs = [];
  }
}

function decibels(power: number): number {
  return 10 * Math.log10(power + 1e-30);
}
