import type { CodebookConfig } from "../codebook-config.ts";
import type { ColumnOutcome, ColumnRules } from "./column-rules.ts";

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
  readonly seesEveryClip = false;
  readonly countsStreamSpecials = true;
  /** Frame 0 is the BOS frame. */
  readonly firstFrameColumn = 1;

  readonly #config: CodebookConfig;
  #startedCodebooks = 0;
  #remainingColumns = UNSET;

  constructor(config: CodebookConfig) {
    this.#config = config;
  }

  begin(): void {
    this.#startedCodebooks = 0;
    this.#remainingColumns = UNSET;
  }

  forcedId(): number {
    return UNSET;
  }

  finishColumn(columns: Int32Array, offset: number): ColumnOutcome {
    const { numCodebooks, audioStreamBosId, audioStreamEosId } = this.#config;
    if (this.#startedCodebooks + 1 < numCodebooks) {
      this.#startedCodebooks++;
      columns.fill(audioStreamBosId, offset + this.#startedCodebooks, offset + numCodebooks);
    }
    if (this.#remainingColumns === UNSET) {
      // The lowest codebook that shows EOS decides, also when higher ones show it too (spec model §11.24).
      let lowest = 0;
      while (lowest < numCodebooks && columns[offset + lowest] !== audioStreamEosId) lowest++;
      if (lowest === numCodebooks) return "audio";
      columns.fill(audioStreamEosId, offset, offset + lowest);
      this.#remainingColumns = numCodebooks - 1 - lowest;
    } else {
      columns.fill(audioStreamEosId, offset, offset + numCodebooks - this.#remainingColumns);
      this.#remainingColumns--;
    }
    return this.#remainingColumns === 0 ? "end" : "audio";
  }

  /** C columns hold C − 7 frames, of which the first (BOS) and the last go, also when the length stopped it (spec model §7.5). */
  frameCount(columnCount: number, isFinished: boolean): number {
    // Until the end another column follows for certain, so the last complete frame is not the one that goes.
    const finalCount = isFinished ? columnCount : columnCount + 1;
    return Math.max(0, finalCount - this.#config.numCodebooks - 1);
  }
}
