import { HiggsError } from "@higgs-worker/base";
import { clipToCode, type CodebookConfig } from "./codebook-config.ts";
import { ColumnHistory } from "./column-history.ts";
import { BosonColumnRules, type ColumnRules } from "./column-rules.ts";
import { readDelayedFrames } from "./delay-pattern.ts";
import { isRasOn, type GenerationOptions } from "./generation-options.ts";
import type { UniformSource } from "./rng.ts";
import type { Sampler } from "./sampling/sampler.ts";

/** `eos`: the model ended the sequence; `length`: the column limit did. */
export type FinishReason = "eos" | "length";

export interface ColumnGeneratorOptions extends GenerationOptions {
  /** May be shared; rows of `idsPerCodebook` logits. */
  readonly sampler: Sampler;
  readonly uniforms: UniformSource;
  /** Columns before the sequence at which RAS looks back: `columns[column * numCodebooks + codebook]`. */
  readonly columnsBefore: Int32Array;
  /** New ones for this sequence; boson's by default. */
  readonly rules?: ColumnRules | undefined;
}

/**
 * Turns the model's logits into the columns of one sequence, one step at a time: sampling, RAS, delay pattern, end and
 * trimming (spec model §7.3 to §8.6). Step:
 *
 *   logits → candidates (forced, or sampled) → RAS on each → overwrites → column → fed back to the model
 *
 * The all-BOS column 0, for which nothing is sampled, is there from the beginning. Storage is made in the constructor and
 * `step` allocates nothing.
 */
export class ColumnGenerator {
  readonly #config: CodebookConfig;
  readonly #options: ColumnGeneratorOptions;
  readonly #rules: ColumnRules;
  readonly #history: ColumnHistory;
  readonly #isRasOn: boolean;
  #finished: FinishReason | null = null;

  constructor(config: CodebookConfig, options: ColumnGeneratorOptions) {
    this.#config = config;
    this.#options = options;
    this.#rules = options.rules ?? new BosonColumnRules(config);
    this.#isRasOn = isRasOn(options.sampling);
    const windowLength = this.#isRasOn ? options.sampling.rasWinLen : 0;
    const history = new ColumnHistory(config, options.maxColumns, windowLength, options.columnsBefore);
    const offset = history.offsetOf(0);
    history.columns.fill(config.audioStreamBosId, offset, offset + config.numCodebooks);
    history.commit();
    this.#history = history;
    if (options.maxColumns === 1) this.#finished = "length";
  }

  /**
   * Makes the next column.
   *
   * @param logits numCodebooks rows of idsPerCodebook logits from `offset` on, the model's output for the last column
   * @returns why the sequence ends with this column, or null when it goes on
   * @throws {HiggsError} GENERATION_FAILED when the logits are not finite
   * @throws {HiggsError} INTERNAL when the sequence has ended
   */
  step(logits: Float32Array, offset = 0): FinishReason | null {
    if (this.#finished !== null) throw misuse("make a column", "the sequence has ended");
    const { numCodebooks } = this.#config;
    const history = this.#history;
    const columnOffset = history.offsetOf(history.generatedCount);
    for (let codebook = 0; codebook < numCodebooks; codebook++) {
      history.columns[columnOffset + codebook] = this.#candidate(logits, offset, codebook);
    }
    const isLast = this.#rules.finishColumn(history.columns, columnOffset);
    history.commit();
    if (isLast) this.#finished = "eos";
    else if (this.columnCount === this.#options.maxColumns) this.#finished = "length";
    return this.#finished;
  }

  /** Why the sequence ended, null while it goes on. */
  get finished(): FinishReason | null {
    return this.#finished;
  }

  /** Columns so far, the all-BOS column included. */
  get columnCount(): number {
    return this.#history.generatedCount;
  }

  /** Writes the ids of the last column, to be fed to the model, to `target` from `offset` on. */
  copyLastColumn(target: Int32Array, offset = 0): void {
    const { numCodebooks } = this.#config;
    const first = this.#history.offsetOf(this.#history.generatedCount - 1);
    for (let codebook = 0; codebook < numCodebooks; codebook++) {
      target[offset + codebook] = this.#history.columns[first + codebook] as number;
    }
  }

  /** A copy of the columns, `columns[column * numCodebooks + codebook]`. */
  columns(): Int32Array {
    return this.#history.columns.slice(this.#history.offsetOf(0), this.#history.offsetOf(this.columnCount));
  }

  /**
   * How many frames can be read: those that no later column can change or drop, so that frames read while the sequence
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
    const columns = this.#history.columns.subarray(this.#history.offsetOf(0));
    const rows = readDelayedFrames(columns, this.#rules.firstFrameColumn + first, end - first, this.#config);
    return rows.map((row) => row.map((id) => clipToCode(id, this.#config)));
  }

  #candidate(logits: Float32Array, offset: number, codebook: number): number {
    const { idsPerCodebook } = this.#config;
    const { sampler, sampling, uniforms } = this.#options;
    const history = this.#history;
    const column = history.generatedCount;
    const rowOffset = offset + codebook * idsPerCodebook;
    let id = this.#rules.forcedId(codebook);
    if (id < 0) {
      const uniform = sampling.temperature === 0 ? 0 : uniforms.uniform(column, codebook, "draw");
      id = sampler.sampleRow(logits, rowOffset, idsPerCodebook, sampling, uniform);
    }
    if (!this.#isRasOn || !this.#isRepeated(codebook, id)) return id;
    return sampler.drawUnwarped(logits, rowOffset, idsPerCodebook, uniforms.uniform(column, codebook, "redraw"));
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
