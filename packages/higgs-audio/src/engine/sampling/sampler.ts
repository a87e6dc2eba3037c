import { HiggsError } from "@higgs-worker/base";
import { Candidates, requireFinite } from "./candidates.ts";
import { TopK } from "./top-k.ts";
import { TopP } from "./top-p.ts";

/** The warpers of a row (spec model §8.2). */
export interface WarpOptions {
  /** 0 … 2; 0 is greedy (argmax), otherwise logits are divided by it. */
  readonly temperature: number;
  /** 0 … 1026; 0 is off; the k-th largest logit and all that equal it stay. */
  readonly topK: number;
  /** (0, 1]; 1 is off. */
  readonly topP: number;
  /** [0, 1); 0 or left out is off; what is less than this share as probable as the likeliest id goes. */
  readonly minP?: number | undefined;
}

/** What is left of a row: `count` ids, ascending, and their weights; the probability of one is weight / total. */
export type WarpedRow = Readonly<Pick<Candidates, "ids" | "weights" | "count" | "total">>;

/** Quotients by a smaller temperature could overflow, and the largest logit would win anyway. */
const GREEDY_BELOW = 1e-30;

const UNWARPED: WarpOptions = { temperature: 1, topK: 0, topP: 1 };

/**
 * Draws ids from rows of logits in the reference's order (spec model §8.2): temperature, top-k, top-p, min-p, draw
 * (min-p is not in the reference, and stands where transformers has it).
 * Logits are float32 as there, so scaled ties and cuts fall alike. All scratch is made in the constructor; one sampler
 * serves any number of sequences, one after the other.
 */
export class Sampler {
  readonly #candidates: Candidates;
  readonly #topK: TopK;
  readonly #topP: TopP;

  /** @param maximumLength longest row this sampler will see */
  constructor(maximumLength: number) {
    this.#candidates = new Candidates(maximumLength);
    this.#topK = new TopK(maximumLength);
    this.#topP = new TopP(maximumLength);
  }

  /**
   * Picks the id of one row: the largest logit when the temperature is 0, otherwise the first id, ascending, whose
   * cumulative probability after the warpers exceeds `uniform`.
   *
   * @param uniform [0, 1); ignored when greedy
   * @throws {HiggsError} GENERATION_FAILED when a logit is not a number or infinite
   */
  sampleRow(logits: Float32Array, offset: number, length: number, options: WarpOptions, uniform: number): number {
    if (options.temperature < GREEDY_BELOW) return largestId(logits, offset, length);
    this.warpRow(logits, offset, length, options);
    return this.#candidates.draw(uniform);
  }

  /**
   * Draws from softmax(logits) without any warper, as RAS does (spec model §8.4).
   *
   * @throws {HiggsError} GENERATION_FAILED when a logit is not a number or infinite
   */
  drawUnwarped(logits: Float32Array, offset: number, length: number, uniform: number): number {
    this.warpRow(logits, offset, length, UNWARPED);
    return this.#candidates.draw(uniform);
  }

  /**
   * Applies the warpers to a row; the result is this sampler's own scratch, valid until its next call.
   *
   * @param options with a temperature of at least 1e-30
   * @throws {HiggsError} GENERATION_FAILED when a logit is not a number or infinite
   * @throws {HiggsError} INTERNAL when the row is too long
   */
  warpRow(logits: Float32Array, offset: number, length: number, options: WarpOptions): WarpedRow {
    const { temperature, topK, topP, minP = 0 } = options;
    const candidates = this.#candidates;
    const capacity = candidates.ids.length;
    if (length > capacity) {
      throw new HiggsError("INTERNAL", "sample", `the row is too long (got ${length}, limit ${capacity})`);
    }
    if (topK > 0 && topK < length) this.#takeLargest(logits, offset, length, temperature, topK);
    else this.#takeAll(logits, offset, length, temperature);
    if (topP < 1) this.#topP.apply(candidates, topP);
    else candidates.weigh();
    if (minP > 0) candidates.keepProbable(minP);
    return candidates;
  }

  /** Makes the k largest logits and their ties the candidates, scaled. */
  #takeLargest(logits: Float32Array, offset: number, length: number, temperature: number, topK: number): void {
    const candidates = this.#candidates;
    const { ids, values } = candidates;
    const divisor = Math.fround(temperature);
    const collected = this.#topK.collect(logits, offset, length, topK, divisor, ids);
    const kthLargest = Math.fround(this.#topK.kthLargest / divisor);
    let largest = Number.NEGATIVE_INFINITY;
    let count = 0;
    for (let i = 0; i < collected; i++) {
      const id = ids[i] as number;
      const value = Math.fround((logits[offset + id] as number) / divisor);
      if (value < kthLargest) continue;
      ids[count] = id;
      values[count++] = value;
      if (value > largest) largest = value;
    }
    candidates.count = count;
    candidates.smallest = kthLargest;
    candidates.largest = largest;
  }

  /** Makes every logit of the row a candidate, scaled. */
  #takeAll(logits: Float32Array, offset: number, length: number, temperature: number): void {
    const candidates = this.#candidates;
    const { ids, values } = candidates;
    const divisor = Math.fround(temperature);
    let smallest = Number.POSITIVE_INFINITY;
    let largest = Number.NEGATIVE_INFINITY;
    for (let id = 0; id < length; id++) {
      const value = Math.fround((logits[offset + id] as number) / divisor);
      ids[id] = id;
      values[id] = value;
      if (value < smallest) smallest = value;
      if (value > largest) largest = value;
    }
    candidates.count = length;
    candidates.smallest = smallest;
    candidates.largest = largest;
  }
}

/** The id of the largest logit; the smallest such id when several are equal. */
function largestId(logits: Float32Array, offset: number, length: number): number {
  let best = 0;
  let largest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < length; id++) {
    const logit = logits[offset + id] as number;
    // Also passed by a NaN.
    if (logit <= largest) continue;
    requireFinite(logit);
    best = id;
    largest = logit;
  }
  return best;
}
