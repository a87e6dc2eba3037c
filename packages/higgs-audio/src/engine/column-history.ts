import type { CodebookConfig } from "./codebook-config.ts";

/**
 * The delayed columns that a sequence can look back at (spec model §8.4): the last ones before it, then all that it made.
 * Storage is made once; adding and counting allocate nothing.
 */
export class ColumnHistory {
  /** Ids, `columns[column * numCodebooks + codebook]`; what was before comes first. */
  readonly columns: Int32Array;

  readonly #numCodebooks: number;
  readonly #windowLength: number;
  readonly #countBefore: number;
  #count: number;

  /**
   * @param capacity columns to be generated at most
   * @param windowLength how many columns RAS looks back at
   * @param before columns before the sequence, in the same form; no more than the window's are kept
   */
  constructor(config: CodebookConfig, capacity: number, windowLength: number, before: Int32Array) {
    this.#numCodebooks = config.numCodebooks;
    this.#windowLength = windowLength;
    const kept = before.subarray(Math.max(0, before.length - windowLength * config.numCodebooks));
    this.columns = new Int32Array(kept.length + capacity * config.numCodebooks);
    this.columns.set(kept);
    this.#countBefore = kept.length / config.numCodebooks;
    this.#count = this.#countBefore;
  }

  /** How many columns were generated. */
  get generatedCount(): number {
    return this.#count - this.#countBefore;
  }

  /** Where generated column `column` begins in `columns`; `generatedCount` gives the place of the next one. */
  offsetOf(column: number): number {
    return (this.#countBefore + column) * this.#numCodebooks;
  }

  /** Makes the column that was written behind the last one a part of the history. */
  commit(): void {
    this.#count++;
  }

  /** How often a codebook had an id within the window. */
  countRepeats(codebook: number, id: number): number {
    const first = Math.max(0, this.#count - this.#windowLength);
    let repeats = 0;
    for (let column = first; column < this.#count; column++) {
      if (this.columns[column * this.#numCodebooks + codebook] === id) repeats++;
    }
    return repeats;
  }
}
