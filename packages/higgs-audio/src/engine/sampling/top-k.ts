/** A row is probed at every eighth logit to guess where its k-th largest is. */
const PROBE_STRIDE = 8;

/**
 * Finds the candidates of top-k (spec model §8.2). A probe of the row gives a bound that is probably a little
 * below the k-th largest logit; one pass collects what reaches it, and the exact selection works on those few. A bound
 * that was too high shows, and is then dropped. Preallocated; `collect` allocates nothing.
 */
export class TopK {
  /** The k-th largest logit of the row given to `collect` last. */
  kthLargest = 0;

  readonly #scratch: Float32Array;

  /** @param maximumLength longest row that `collect` will see */
  constructor(maximumLength: number) {
    this.#scratch = new Float32Array(maximumLength);
  }

  /**
   * Writes the ids of the k largest logits, ascending, to `ids`; with them others, at least all that equal the k-th
   * largest once both are divided.
   *
   * @param k 1 … length
   * @param divisor what the logits will be divided by, > 0
   * @returns how many ids there are
   */
  collect(logits: Float32Array, offset: number, length: number, k: number, divisor: number, ids: Int32Array): number {
    const bound = this.#probe(logits, offset, length, k);
    let count = reaching(logits, offset, length, lowestScaledTie(bound, divisor), ids);
    if (count < k) count = reaching(logits, offset, length, Number.NEGATIVE_INFINITY, ids);
    for (let i = 0; i < count; i++) this.#scratch[i] = logits[offset + (ids[i] as number)] as number;
    this.kthLargest = selectLargest(this.#scratch, count, k);
    return count;
  }

  /** A logit that about 1.25 k + 32 of the row reach, judged by every eighth of them. */
  #probe(logits: Float32Array, offset: number, length: number, k: number): number {
    let probes = 0;
    for (let id = 0; id < length; id += PROBE_STRIDE) this.#scratch[probes++] = logits[offset + id] as number;
    const rank = Math.ceil((1.25 * k) / PROBE_STRIDE) + 4;
    return rank < probes ? selectLargest(this.#scratch, probes, rank) : Number.NEGATIVE_INFINITY;
  }
}

function reaching(logits: Float32Array, offset: number, length: number, bound: number, ids: Int32Array): number {
  const lowest = Math.fround(bound);
  let count = 0;
  for (let id = 0; id < length; id++) {
    // Not `>=`: a NaN has to be found later, not dropped here.
    if ((logits[offset + id] as number) < lowest) continue;
    ids[count++] = id;
  }
  return count;
}

/** No logit below this equals `logit` in float32 once both are divided: two roundings apart, or one subnormal step. */
function lowestScaledTie(logit: number, divisor: number): number {
  return logit - Math.abs(logit) * 2 ** -22 - divisor * 2 ** -140;
}

/**
 * The k-th largest of the first `count` values, which are reordered: Hoare's quickselect with the median of three.
 *
 * @param k 1 … count
 */
function selectLargest(values: Float32Array, count: number, k: number): number {
  const target = count - k;
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const pivot = medianOfThree(values[low] as number, values[(low + high) >>> 1] as number, values[high] as number);
    let left = low;
    let right = high;
    while (left <= right) {
      while ((values[left] as number) < pivot) left++;
      while ((values[right] as number) > pivot) right--;
      if (left > right) break;
      const swapped = values[left] as number;
      values[left++] = values[right] as number;
      values[right--] = swapped;
    }
    if (target <= right) high = right;
    else if (target >= left) low = left;
    else return pivot;
  }
  return values[target] as number;
}

export function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
