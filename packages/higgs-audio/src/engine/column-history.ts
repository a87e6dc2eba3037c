import type { CodebookConfig } from "./codebook-config.ts";
import { applyDelayPattern } from "./delay-pattern.ts";

/** A clip of the prompt: `out` stands in an assistant turn, `in` in a system or user turn. */
export interface HistoryClip {
  readonly kind: "in" | "out";
  /** `codes[codebook][frame]` */
  readonly codes: readonly ArrayLike<number>[];
}

/**
 * The delayed columns that a sequence can look back at (spec model §8.4): the last ones of the prompt's clips,
 * then all that were generated. Storage is made once; adding and counting allocate nothing.
 */
export class ColumnHistory {
  /** Ids, `columns[column * numCodebooks + codebook]`; the prompt's columns come first. */
  readonly columns: Int32Array;

  readonly #numCodebooks: number;
  readonly #windowLength: number;
  readonly #promptCount: number;
  /** 1 where RAS replaced a candidate, parallel to the generated part of `columns`. */
  readonly #redrawn: Uint8Array;
  #count: number;

  /**
   * @param capacity columns to be generated at most
   * @param windowLength how many columns RAS looks back at
   * @param clips those that RAS sees, in the order of the prompt
   */
  constructor(config: CodebookConfig, capacity: number, windowLength: number, clips: readonly HistoryClip[]) {
    this.#numCodebooks = config.numCodebooks;
    this.#windowLength = windowLength;
    const prompt = lastColumns(clips, windowLength, config);
    this.columns = new Int32Array(prompt.length + capacity * config.numCodebooks);
    this.columns.set(prompt);
    this.#redrawn = new Uint8Array(capacity * config.numCodebooks);
    this.#promptCount = prompt.length / config.numCodebooks;
    this.#count = this.#promptCount;
  }

  /** How many columns were generated. */
  get generatedCount(): number {
    return this.#count - this.#promptCount;
  }

  /** Where generated column `column` begins in `columns`; `generatedCount` gives the place of the next one. */
  offsetOf(column: number): number {
    return (this.#promptCount + column) * this.#numCodebooks;
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

  /** Notes that RAS replaced the candidate of a codebook of the column to be written next. */
  markRedrawn(codebook: number): void {
    this.#redrawn[this.generatedCount * this.#numCodebooks + codebook] = 1;
  }

  /** Whether RAS replaced the candidate of this place, even if it was overwritten later. */
  isRedrawn(column: number, codebook: number): boolean {
    return this.#redrawn[column * this.#numCodebooks + codebook] === 1;
  }
}

/** The last `count` columns of all clips in a row, fewer when there are fewer. */
function lastColumns(clips: readonly HistoryClip[], count: number, config: CodebookConfig): Int32Array {
  const length = count * config.numCodebooks;
  const parts: number[][] = [];
  let missing = length;
  for (let index = clips.length - 1; index >= 0 && missing > 0; index--) {
    const columns = applyDelayPattern(clips[index]?.codes ?? [], config);
    const part = columns.subarray(Math.max(0, columns.length - missing));
    parts.unshift([...part]);
    missing -= part.length;
  }
  return Int32Array.from(parts.flat());
}
