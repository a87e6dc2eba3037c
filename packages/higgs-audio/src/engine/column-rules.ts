import type { CodebookConfig } from "./codebook-config.ts";

/** The state machine that turns sampled candidates into the columns of one sequence (spec model §7.3–7.5). */
export interface ColumnRules {
  /** Whether BOS and EOS in the RAS window count as repeats (spec model §8.4). */
  readonly countsStreamSpecials: boolean;
  /** The only id that a codebook of the next column can have before sampling, or −1 when it is free. */
  forcedId(codebook: number): number;
  /**
   * Overwrites what the delay pattern prescribes in the column of candidates at `columns[offset]`, and counts it; the all-BOS
   * column 0 comes before the first.
   *
   * @returns whether this was the last column
   */
  finishColumn(columns: Int32Array, offset: number): boolean;

  /** Column of codebook 0 of the first frame that is kept (spec model §7.5). */
  readonly firstFrameColumn: number;
  /**
   * How many frames are kept; while the sequence goes on, how many of them no later column can change or drop.
   *
   * @param columnCount columns so far, column 0 included
   */
  frameCount(columnCount: number, isFinished: boolean): number;
}

const UNSET = -1;

/**
 * The rules of boson-ai/higgs-audio (spec model §7.3, §7.4): candidates are overwritten after sampling.
 *
 * With 3 codebooks, codebook 0 sampling EOS at column 5 (x sampled and kept, * overwritten):
 *
 * | column              | 0  | 1  | 2  | 3 | 4 | 5     | 6  | 7       |
 * |---------------------|----|----|----|---|---|-------|----|---------|
 * | codebook 0          | B* | x  | x  | x | x | x = E | E* | E*      |
 * | codebook 1          | B* | B* | x  | x | x | x     | x  | E*      |
 * | codebook 2          | B* | B* | B* | x | x | x     | x  | x       |
 * | started codebooks   | 0  | 1  | 2  | 2 | 2 | 2     | 2  | 2       |
 * | remaining columns   | –  | –  | –  | – | – | 2     | 1  | 0 → end |
 */
export class BosonColumnRules implements ColumnRules {
  readonly countsStreamSpecials = true;
  /** Frame 0 is the BOS frame. */
  readonly firstFrameColumn = 1;

  readonly #config: CodebookConfig;
  #startedCodebooks = 0;
  #remainingColumns = UNSET;

  constructor(config: CodebookConfig) {
    this.#config = config;
  }

  forcedId(): number {
    return UNSET;
  }

  finishColumn(columns: Int32Array, offset: number): boolean {
    const { numCodebooks, audioStreamBosId, audioStreamEosId } = this.#config;
    if (this.#startedCodebooks + 1 < numCodebooks) {
      this.#startedCodebooks++;
      columns.fill(audioStreamBosId, offset + this.#startedCodebooks, offset + numCodebooks);
    }
    if (this.#remainingColumns === UNSET) {
      // The lowest codebook that shows EOS decides, also when higher ones show it too (spec model §11.24).
      let lowest = 0;
      while (lowest < numCodebooks && columns[offset + lowest] !== audioStreamEosId) lowest++;
      if (lowest === numCodebooks) return false;
      columns.fill(audioStreamEosId, offset, offset + lowest);
      this.#remainingColumns = numCodebooks - 1 - lowest;
    } else {
      columns.fill(audioStreamEosId, offset, offset + numCodebooks - this.#remainingColumns);
      this.#remainingColumns--;
    }
    return this.#remainingColumns === 0;
  }

  /** C columns hold C − 7 frames, of which the first (BOS) and the last go, also when the length stopped it (spec model §7.5). */
  frameCount(columnCount: number, isFinished: boolean): number {
    // Until the end another column follows for certain, so the last complete frame is not the one that goes.
    const finalCount = isFinished ? columnCount : columnCount + 1;
    return Math.max(0, finalCount - this.#config.numCodebooks - 1);
  }
}
