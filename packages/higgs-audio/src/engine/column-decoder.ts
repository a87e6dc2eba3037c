import { HiggsError } from "@higgs-worker/base";
import { clipToCode, type CodebookConfig } from "./codebook-config.ts";
import { ColumnHistory, type HistoryClip } from "./column-history.ts";
import { createColumnRules, type ColumnOutcome, type ColumnRules } from "./column-rules/column-rules.ts";
import { readDelayedFrames } from "./delay-pattern.ts";
import { isRasOn, type GenerationOptions } from "./generation-options.ts";
import type { UniformSource } from "./rng.ts";
import type { Sampler } from "./sampling/sampler.ts";

/** `eos`: the model ended the segment; `length`: the column limit did. */
export type FinishReason = "eos" | "length";

export interface ColumnDecoderOptions extends GenerationOptions {
  /** May be shared; rows of `codebookSize` logits. */
  readonly sampler: Sampler;
  readonly uniforms: UniformSource;
  /** All clips of the prompt in its order; the rules choose which of them RAS sees. */
  readonly clips: readonly HistoryClip[];
}

/**
 * Turns the model's logits into the columns of one sequence, one step at a time: sampling, RAS, delay pattern, end and
 * trimming (spec model §7.3 to §8.6). Step:
 *
 *   logits → candidates (forced, or sampled) → RAS on each → overwrites → column → fed back to the model
 *
 * Several segments may follow each other; RAS looks back over all of them. Storage is made in the constructor and
 * `step` allocates nothing.
 */
export class ColumnDecoder {
  readonly #config: CodebookConfig;
  readonly #options: ColumnDecoderOptions;
  readonly #rules: ColumnRules;
  readonly #history: ColumnHistory;
  readonly #isRasOn: boolean;
  #firstColumn = 0;
  #columnLimit = 0;
  #outcome: ColumnOutcome = "end";
  #finished: FinishReason | null = "length";

  constructor(config: CodebookConfig, options: ColumnDecoderOptions) {
    this.#config = config;
    this.#options = options;
    this.#rules = createColumnRules(options.rules, config);
    this.#isRasOn = isRasOn(options.sampling);
    this.#history = new ColumnHistory(
      config,
      options.maxColumns,
      this.#isRasOn ? options.sampling.rasWinLen : 0,
      this.#rules.seesEveryClip ? options.clips : options.clips.filter(({ kind }) => kind === "out"),
    );
  }

  /**
   * Starts a segment with its all-BOS column, for which nothing is sampled.
   *
   * @param columnLimit columns of this segment at most; all segments together have room for `maxColumns`
   * @throws {HiggsError} INTERNAL when a segment goes on, or there is no room
   */
  beginSegment(columnLimit = this.#options.maxColumns): void {
    const used = this.#history.generatedCount;
    if (this.#finished === null) throw misuse("begin a segment", "another one goes on");
    if (columnLimit < 1 || used + columnLimit > this.#options.maxColumns) {
      throw misuse(
        "begin a segment",
        `no room (got ${used} + ${columnLimit} columns, limit ${this.#options.maxColumns})`,
      );
    }
    const offset = this.#history.offsetOf(used);
    this.#history.columns.fill(this.#config.audioStreamBosId, offset, offset + this.#config.numCodebooks);
    this.#history.commit();
    this.#firstColumn = used;
    this.#columnLimit = columnLimit;
    this.#rules.begin();
    this.#outcome = "audio";
    this.#finished = columnLimit === 1 ? "length" : null;
  }

  /**
   * Makes the next column.
   *
   * @param logits numCodebooks rows of codebookSize logits from `offset` on, the model's output for the last column
   * @returns why the segment ends with this column, or null when it goes on
   * @throws {HiggsError} GENERATION_FAILED when the logits are not finite; INTERNAL when the segment has ended
   */
  step(logits: Float32Array, offset = 0): FinishReason | null {
    if (this.#finished !== null) throw misuse("make a column", "the segment has ended");
    const { numCodebooks } = this.#config;
    const history = this.#history;
    const columnOffset = history.offsetOf(history.generatedCount);
    for (let codebook = 0; codebook < numCodebooks; codebook++) {
      history.columns[columnOffset + codebook] = this.#candidate(logits, offset, codebook);
    }
    this.#outcome = this.#rules.finishColumn(history.columns, columnOffset);
    history.commit();
    if (this.#outcome === "end") this.#finished = "eos";
    else if (this.columnCount === this.#columnLimit) this.#finished = "length";
    return this.#finished;
  }

  /** Why the segment ended, null while it goes on. */
  get finished(): FinishReason | null {
    return this.#finished;
  }

  /** What the last column means for the text stream. */
  get outcome(): ColumnOutcome {
    return this.#outcome;
  }

  /** Columns of this segment so far, the all-BOS column included. */
  get columnCount(): number {
    return this.#history.generatedCount - this.#firstColumn;
  }

  /** Writes the ids of the last column, to be fed to the model, to `target` from `offset` on. */
  copyLastColumn(target: Int32Array, offset = 0): void {
    const { numCodebooks } = this.#config;
    const first = this.#history.offsetOf(this.#history.generatedCount - 1);
    for (let codebook = 0; codebook < numCodebooks; codebook++) {
      target[offset + codebook] = this.#history.columns[first + codebook] as number;
    }
  }

  /** A copy of the segment's columns, `columns[column * numCodebooks + codebook]`. */
  columns(): Int32Array {
    const first = this.#history.offsetOf(this.#firstColumn);
    return this.#history.columns.slice(first, first + this.columnCount * this.#config.numCodebooks);
  }

  /** Whether RAS replaced this candidate of the segment, even if it was overwritten later. */
  isRedrawn(column: number, codebook: number): boolean {
    return this.#history.isRedrawn(this.#firstColumn + column, codebook);
  }

  /**
   * How many frames can be read: those that no later column can change or drop, so that frames read while the segment
   * goes on are exactly the first ones of the finished, trimmed result (spec model §7.5, §7.6).
   */
  get availableFrames(): number {
    return this.#rules.frameCount(this.columnCount, this.#finished !== null);
  }

  /**
   * Frames `first` … `end` − 1 of the trimmed result as `codes[codebook][frame]`, values 0 … 1023.
   *
   * @param end at most `availableFrames`
   * @throws {HiggsError} INTERNAL when such frames are not available
   */
  frames(first = 0, end = this.availableFrames): Int32Array[] {
    if (first < 0 || end < first || end > this.availableFrames) {
      throw misuse("read frames", `not available (got ${first} … ${end}, limit ${this.availableFrames})`);
    }
    const columns = this.#history.columns.subarray(this.#history.offsetOf(this.#firstColumn));
    const rows = readDelayedFrames(columns, this.#rules.firstFrameColumn + first, end - first, this.#config);
    return rows.map((row) => row.map((id) => clipToCode(id, this.#config)));
  }

  #candidate(logits: Float32Array, offset: number, codebook: number): number {
    const { codebookSize } = this.#config;
    const { sampler, sampling, uniforms } = this.#options;
    const history = this.#history;
    const column = history.generatedCount;
    const rowOffset = offset + codebook * codebookSize;
    let id = this.#rules.forcedId(codebook);
    if (id < 0) {
      const uniform = sampling.temperature === 0 ? 0 : uniforms.uniform(column, codebook, "draw");
      id = sampler.sampleRow(logits, rowOffset, codebookSize, sampling, uniform);
    }
    if (!this.#isRasOn || !this.#isRepeated(codebook, id)) return id;
    history.markRedrawn(codebook);
    return sampler.drawUnwarped(logits, rowOffset, codebookSize, uniforms.uniform(column, codebook, "redraw"));
  }

  #isRepeated(codebook: number, id: number): boolean {
    const { audioStreamBosId, audioStreamEosId } = this.#config;
    const isSpecial = id === audioStreamBosId || id === audioStreamEosId;
    if (isSpecial && !this.#rules.countsStreamSpecials) return false;
    return this.#history.countRepeats(codebook, id) >= this.#options.sampling.rasWinMaxNumRepeat;
  }
}

function misuse(action: string, reason: string): HiggsError {
  return new HiggsError("INTERNAL", action, reason);
}
