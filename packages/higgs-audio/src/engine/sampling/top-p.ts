import { requireFinite, type Candidates } from "./candidates.ts";
import { exponential } from "./exponential.ts";
import { medianOfThree } from "./top-k.ts";

/** Few enough to be partitioned at once; more are first summed in buckets. */
const DIRECT_COUNT = 64;
/** A power of two, so that a mask proves a bucket's index in range and spares its check. */
const BUCKETS = 256;
const BUCKET_MASK = BUCKETS - 1;

/**
 * Top-p (spec model §8.2): with the candidates in ascending order, ties by id, all go whose cumulative
 * probability is at most 1 − p; the last one always stays.
 *
 * Nothing is sorted: weights are summed in buckets by value, which tells the bucket of the cut, and that one is halved
 * until the cut is found. Linear in the number of candidates; all memory is made in the constructor.
 */
export class TopP {
  readonly #bucketWeights = new Float64Array(BUCKETS);

  // The candidates among which the cut is, and room for the upper ones of a partition.
  #values: Float32Array;
  #weights: Float64Array;
  #spareValues: Float32Array;
  #spareWeights: Float64Array;

  #total = 1;
  #limit = 0;

  // What the last partition found.
  #lowCount = 0;
  #lowWeight = 0;
  #highCount = 0;
  #tieWeight = 0;

  /** @param maximumCount most candidates that `apply` will see */
  constructor(maximumCount: number) {
    this.#values = new Float32Array(maximumCount);
    this.#weights = new Float64Array(maximumCount);
    this.#spareValues = new Float32Array(maximumCount);
    this.#spareWeights = new Float64Array(maximumCount);
  }

  /**
   * Weighs the candidates and drops those outside the nucleus.
   *
   * @param topP (0, 1)
   * @throws {HiggsError} GENERATION_FAILED when a value is not a number, or the largest is infinite
   */
  apply(candidates: Candidates, topP: number): void {
    // The reference compares float32 sums with a float32 limit.
    this.#limit = Math.fround(1 - topP);
    if (candidates.count > DIRECT_COUNT) this.#applyByBuckets(candidates);
    else this.#applyDirectly(candidates);
  }

  #applyDirectly(candidates: Candidates): void {
    candidates.weigh();
    const { values, weights, count, total } = candidates;
    this.#total = total;
    for (let i = 0; i < count; i++) {
      this.#values[i] = values[i] as number;
      this.#weights[i] = weights[i] as number;
    }
    this.#cut(candidates, count, 0);
  }

  /** As `#applyDirectly`, in two passes: weighing and summing, then dropping all buckets below that of the cut. */
  #applyByBuckets(candidates: Candidates): void {
    const { ids, values, weights, count } = candidates;
    const bucketWeights = this.#bucketWeights.fill(0);
    const largest = Math.fround(candidates.largest);
    const scale = (BUCKETS - 1) / (largest - candidates.smallest);
    const shift = -candidates.smallest * scale;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const value = values[i] as number;
      const weight = exponential(Math.fround(value - largest));
      const bucket = (value * scale + shift) & BUCKET_MASK;
      weights[i] = weight;
      total += weight;
      bucketWeights[bucket] = (bucketWeights[bucket] as number) + weight;
    }
    requireFinite(total);
    this.#total = total;
    // From above, because what stays is mostly a few buckets there.
    let cutBucket = BUCKETS - 1;
    let below = total - (bucketWeights[cutBucket] as number);
    while (cutBucket > 0 && (bucketWeights[cutBucket] === 0 || this.#staysAfter(below))) {
      below -= bucketWeights[--cutBucket] as number;
    }

    let kept = 0;
    let loaded = 0;
    for (let i = 0; i < count; i++) {
      const value = values[i] as number;
      const bucket = (value * scale + shift) & BUCKET_MASK;
      if (bucket < cutBucket) continue;
      const weight = weights[i] as number;
      ids[kept] = ids[i] as number;
      values[kept] = value;
      weights[kept++] = weight;
      if (bucket > cutBucket) continue;
      this.#values[loaded] = value;
      this.#weights[loaded++] = weight;
    }
    candidates.count = kept;
    this.#cut(candidates, loaded, below);
  }

  /** Whether a candidate stays when it and all below it have this weight. */
  #staysAfter(cumulative: number): boolean {
    return Math.fround(cumulative / this.#total) > this.#limit;
  }

  /**
   * Halves the loaded candidates until the cut is at the pivot, and drops what is below.
   *
   * @param loadedCount how many candidates are in `#values` and `#weights`
   * @param weightBelow weight of all candidates below those
   */
  #cut(candidates: Candidates, loadedCount: number, weightBelow: number): void {
    let remaining = loadedCount;
    let below = weightBelow;
    for (;;) {
      const pivot = this.#pivot(remaining);
      this.#partition(pivot, remaining);
      const tieCount = remaining - this.#lowCount - this.#highCount;
      const belowTies = below + this.#lowWeight;
      const throughTies = belowTies + tieCount * this.#tieWeight;
      if (this.#lowCount > 0 && this.#staysAfter(belowTies)) {
        remaining = this.#lowCount;
      } else if (this.#highCount === 0 || this.#staysAfter(throughTies)) {
        candidates.keepFrom(pivot, this.#tiesToDrop(tieCount, belowTies));
        return;
      } else {
        below = throughTies;
        remaining = this.#highCount;
        this.#takeHigh();
      }
    }
  }

  #pivot(count: number): number {
    const values = this.#values;
    return medianOfThree(values[0] as number, values[count >>> 1] as number, values[count - 1] as number);
  }

  /** Leaves what is below the pivot at the front of `#values`, and what is above it at the front of `#spareValues`. */
  #partition(pivot: number, count: number): void {
    const values = this.#values;
    const weights = this.#weights;
    const highValues = this.#spareValues;
    const highWeights = this.#spareWeights;
    let lowCount = 0;
    let lowWeight = 0;
    let highCount = 0;
    for (let i = 0; i < count; i++) {
      const value = values[i] as number;
      const weight = weights[i] as number;
      if (value < pivot) {
        values[lowCount] = value;
        weights[lowCount++] = weight;
        lowWeight += weight;
      } else if (value > pivot) {
        highValues[highCount] = value;
        highWeights[highCount++] = weight;
      } else {
        this.#tieWeight = weight;
      }
    }
    this.#lowCount = lowCount;
    this.#lowWeight = lowWeight;
    this.#highCount = highCount;
  }

  #takeHigh(): void {
    const values = this.#values;
    const weights = this.#weights;
    this.#values = this.#spareValues;
    this.#weights = this.#spareWeights;
    this.#spareValues = values;
    this.#spareWeights = weights;
  }

  #tiesToDrop(tieCount: number, belowTies: number): number {
    let dropped = 0;
    // The last tie stays: either the limit is passed with it, or nothing is above it.
    while (dropped < tieCount - 1 && !this.#staysAfter(belowTies + (dropped + 1) * this.#tieWeight)) dropped++;
    return dropped;
  }
}
