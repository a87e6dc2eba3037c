import { HiggsError } from "@higgs-worker/base";
import { exponential } from "./exponential.ts";

/**
 * What is left of a row of logits while the warpers work on it: `count` ids, ascending, each with its scaled logit and
 * its weight e^(logit − largest). The probability of one is weight / total.
 */
export class Candidates {
  readonly ids: Int32Array;
  readonly values: Float32Array;
  readonly weights: Float64Array;
  count = 0;
  /** No value is below it. */
  smallest = 0;
  /** The largest value. */
  largest = 0;
  /** Sum of the weights. */
  total = 0;

  /** @param capacity longest row to hold */
  constructor(capacity: number) {
    this.ids = new Int32Array(capacity);
    this.values = new Float32Array(capacity);
    this.weights = new Float64Array(capacity);
  }

  /**
   * Sets the weights and their total. The difference is rounded to float32, as in the reference's softmax.
   *
   * @throws {HiggsError} GENERATION_FAILED when a value is not a number, or the largest is infinite
   */
  weigh(): void {
    const { values, weights, count } = this;
    const largest = Math.fround(this.largest);
    let total = 0;
    for (let i = 0; i < count; i++) {
      const weight = exponential(Math.fround((values[i] as number) - largest));
      weights[i] = weight;
      total += weight;
    }
    requireFinite(total);
    this.total = total;
  }

  /** Drops values below `lowest`, and the first `tiesToDrop` of those equal to it; the rest must be weighed. */
  keepFrom(lowest: number, tiesToDrop: number): void {
    const { ids, values, weights, count } = this;
    const bound = Math.fround(lowest);
    let tiesMet = 0;
    let kept = 0;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const value = values[i] as number;
      if (value < bound || (value === bound && tiesMet++ < tiesToDrop)) continue;
      const weight = weights[i] as number;
      ids[kept] = ids[i] as number;
      values[kept] = value;
      weights[kept++] = weight;
      total += weight;
    }
    this.count = kept;
    this.total = total;
  }

  /**
   * Min-p: drops what is less than `minP` times as probable as the likeliest; the rest must be weighed. The likeliest has
   * the weight 1, so that weights are compared instead of probabilities.
   *
   * @param minP [0, 1)
   */
  keepProbable(minP: number): void {
    const { ids, values, weights, count } = this;
    let kept = 0;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const weight = weights[i] as number;
      if (weight < minP) continue;
      ids[kept] = ids[i] as number;
      values[kept] = values[i] as number;
      weights[kept++] = weight;
      total += weight;
    }
    this.count = kept;
    this.total = total;
  }

  /**
   * The first id whose cumulative probability exceeds `uniform`; the last one when rounding lets none do so.
   *
   * @param uniform [0, 1)
   */
  draw(uniform: number): number {
    const { weights } = this;
    const target = uniform * this.total;
    const last = this.count - 1;
    let cumulative = 0;
    let index = 0;
    for (; index < last; index++) {
      cumulative += weights[index] as number;
      if (cumulative > target) break;
    }
    return this.ids[index] as number;
  }
}

/**
 * Every NaN and infinity of a row ends up as a NaN in the sum of its weights.
 *
 * @throws {HiggsError} GENERATION_FAILED when a value is not finite
 */
export function requireFinite(total: number): void {
  if (Number.isFinite(total)) return;
  throw new HiggsError("GENERATION_FAILED", "sample", "the model's logits are not finite numbers");
}
