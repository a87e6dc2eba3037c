import type { Codes } from "../prompt/messages.ts";

/** The first codebooks hold what is said and count more; the last ones differ even where a sound comes again. */
const CODEBOOK_WEIGHTS = [3, 2, 1];

/** Share of equal codes that two frames of different sounds do not reach: what is above it speaks for a repeat. */
const CHANCE_SHARE = 0.2;

/** A frame that has this share of its codes from one of the two frames before it holds a sound. */
const HELD_SHARE = 0.5;

/** Frames back that make a held sound; a loop comes from further back. */
const HELD_LAGS = 2;

/** A run of frames that come again. */
export interface RepeatedRun {
  /** Repeated frames, those with some other codes counted less. */
  readonly frames: number;
  /** First frame that comes again, and the end of the last one. */
  readonly start: number;
  readonly end: number;
  /** How many frames before they came. */
  readonly period: number;
}

const NO_RUN: RepeatedRun = { frames: 0, start: 0, end: 0, period: 0 };

/**
 * Looks for repeated blocks of codes while frames come: for each period it keeps a sum that grows with every code that equals
 * the one a period ago and shrinks with the others, so that a run ends by itself where the repetition does. Frames of a held sound
 * equal each other at any distance; they count as held, not as a loop.
 */
export class CodeLoops {
  readonly #longestPeriod: number;
  readonly #sums: Float64Array;
  readonly #starts: Int32Array;
  /** The last `longestPeriod` frames: `#history[(frame % longestPeriod) · codebooks + codebook]`. */
  #history = new Int32Array(0);
  #weights: number[] = [];
  #weightSum = 0;
  #frames = 0;
  #loop = NO_RUN;
  #held = NO_RUN;

  /** @param longestPeriod in frames */
  constructor(longestPeriod: number) {
    this.#longestPeriod = Math.max(HELD_LAGS, Math.floor(longestPeriod));
    this.#sums = new Float64Array(this.#longestPeriod + 1);
    this.#starts = new Int32Array(this.#longestPeriod + 1);
  }

  /** Takes the next frames, `codes[codebook][frame]`. */
  push(codes: Codes): void {
    const frames = codes[0]?.length ?? 0;
    if (this.#weights.length !== codes.length) this.#begin(codes.length);
    for (let frame = 0; frame < frames; frame++) this.#pushFrame(codes, frame);
  }

  /** The longest run so far that came again after 3 frames or more. */
  get loop(): RepeatedRun {
    return this.#loop;
  }

  /** The longest held sound so far. */
  get held(): RepeatedRun {
    return this.#held;
  }

  #begin(codebooks: number): void {
    this.#weights = Array.from({ length: codebooks }, (_, codebook) => CODEBOOK_WEIGHTS[codebook] ?? 1);
    this.#weightSum = this.#weights.reduce((sum, weight) => sum + weight, 0);
    this.#history = new Int32Array(this.#longestPeriod * codebooks);
    this.#frames = 0;
  }

  #pushFrame(codes: Codes, column: number): void {
    const frame = this.#frames;
    const known = Math.min(frame, this.#longestPeriod);
    let isHeld = false;
    for (let lag = 1; lag <= Math.min(known, HELD_LAGS); lag++) {
      const share = this.#shareOfEqual(codes, column, lag);
      isHeld ||= share >= HELD_SHARE;
      this.#held = this.#add(lag, share, this.#held);
    }
    if (!isHeld) {
      for (let lag = HELD_LAGS + 1; lag <= known; lag++) {
        this.#loop = this.#add(lag, this.#shareOfEqual(codes, column, lag), this.#loop);
      }
    }
    const at = (frame % this.#longestPeriod) * codes.length;
    for (let codebook = 0; codebook < codes.length; codebook++) {
      this.#history[at + codebook] = codes[codebook]?.[column] as number;
    }
    this.#frames++;
  }

  #shareOfEqual(codes: Codes, column: number, lag: number): number {
    const at = ((this.#frames - lag) % this.#longestPeriod) * codes.length;
    let equal = 0;
    for (let codebook = 0; codebook < codes.length; codebook++) {
      if (this.#history[at + codebook] === codes[codebook]?.[column]) equal += this.#weights[codebook] as number;
    }
    return equal / this.#weightSum;
  }

  /** Adds a frame to the sum of a period; the longer of its run and the longest one. */
  #add(lag: number, share: number, longest: RepeatedRun): RepeatedRun {
    const before = this.#sums[lag] as number;
    const sum = before + (share - CHANCE_SHARE) / (1 - CHANCE_SHARE);
    if (before <= 0) this.#starts[lag] = this.#frames;
    this.#sums[lag] = Math.max(0, sum);
    if (sum <= longest.frames) return longest;
    return { frames: sum, start: this.#starts[lag] as number, end: this.#frames + 1, period: lag };
  }
}
