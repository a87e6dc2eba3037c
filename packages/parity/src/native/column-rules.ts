import type { CodebookConfig, ColumnRules } from "@higgs-worker/higgs-audio/parts";

const FREE = -1;

/**
 * What a finished column means for the text stream: `audio`: one more `<|AUDIO_OUT|>`; `delay`: the streams are ending one
 * after the other; `end`: this was the last column.
 */
export type ColumnOutcome = "audio" | "delay" | "end";

/**
 * The rules of transformers (spec model §7.4, §7.5): logits are masked before sampling. Codebook k is BOS in
 * columns 0 … k. From the column after the first EOS in any codebook on, the codebooks end one a column, always from
 * codebook 0 on, until a column is EOS throughout.
 *
 * With 3 codebooks, codebook 1 sampling EOS at column 5 (x sampled, * forced):
 *
 * | column     | 0  | 1  | 2  | 3 | 4 | 5     | 6  | 7  | 8        |
 * |------------|----|----|----|---|---|-------|----|----|----------|
 * | codebook 0 | B* | x  | x  | x | x | x     | E* | E* | E*       |
 * | codebook 1 | B* | B* | x  | x | x | x = E | x  | E* | E*       |
 * | codebook 2 | B* | B* | B* | x | x | x     | x  | x  | E* → end |
 */
export class NativeColumnRules implements ColumnRules {
  readonly countsStreamSpecials = false;

  readonly #config: CodebookConfig;
  /** One per finished column. */
  readonly outcomes: ColumnOutcome[] = [];
  /** Columns finished so far, so also the number of the next one; column 0 is all BOS. */
  #nextColumn = 1;
  /** Codebooks that have to be EOS in the next column. */
  #endedCodebooks = 0;
  #lastBosColumn = 0;
  #hasEnded = false;

  constructor(config: CodebookConfig) {
    this.#config = config;
  }

  forcedId(codebook: number): number {
    if (codebook < this.#endedCodebooks) return this.#config.audioStreamEosId;
    return codebook >= this.#nextColumn ? this.#config.audioStreamBosId : FREE;
  }

  finishColumn(columns: Int32Array, offset: number): boolean {
    const outcome = this.#finishColumn(columns, offset);
    this.outcomes.push(outcome);
    return outcome === "end";
  }

  /** The audio begins after the last column that is BOS throughout. */
  get firstFrameColumn(): number {
    return this.#lastBosColumn + 1;
  }

  /**
   * The columns between the last all-BOS and the all-EOS one. None of them is certain before the end: an all-BOS column
   * would drop everything before it.
   */
  frameCount(columnCount: number, isFinished: boolean): number {
    if (!isFinished) return 0;
    const columns = columnCount - this.firstFrameColumn - (this.#hasEnded ? 1 : 0);
    return Math.max(0, columns - this.#config.numCodebooks + 1);
  }

  #finishColumn(columns: Int32Array, offset: number): ColumnOutcome {
    const { numCodebooks, audioStreamBosId, audioStreamEosId } = this.#config;
    let bosCount = 0;
    let eosCount = 0;
    for (let codebook = 0; codebook < numCodebooks; codebook++) {
      const id = columns[offset + codebook];
      if (id === audioStreamBosId) bosCount++;
      if (id === audioStreamEosId) eosCount++;
    }
    if (bosCount === numCodebooks) this.#lastBosColumn = this.#nextColumn;
    this.#nextColumn++;
    if (eosCount === numCodebooks) {
      this.#hasEnded = true;
      return "end";
    }
    if (eosCount === 0 && this.#endedCodebooks === 0) return "audio";
    this.#endedCodebooks++;
    return "delay";
  }
}
