import { HiggsError, throwIfCancelled } from "@higgs-worker/base";
import type { PromptRows } from "../model/prompt-rows.ts";
import { PREFILL_ROWS, type PromptPiece, type PromptPieces } from "../model/prompt-pieces.ts";
import type { CodebookConfig } from "./codebook-config.ts";
import { ColumnGenerator, type ColumnGeneratorOptions, type FinishReason } from "./column-generator.ts";
import type { GenerationOptions } from "./generation-options.ts";
import type { PrefixCache, SharedPrefix } from "./prefix-cache.ts";
import type { UniformSource } from "./rng.ts";
import { Sampler } from "./sampling/sampler.ts";

/** One step of the first slots; `DecodeGraph` is one. */
export interface StepGraph {
  /** Takes a slot out of the following steps. */
  setIdle(slot: number): void;
  /** Sets what a slot feeds in the next step: a column, at a position. */
  setSlot(slot: number, column: Int32Array, position: number): void;
  /** Computes the step and fills `logits`, [slot][codebook][id], for the slots that the graph has. */
  compute(logits: Float32Array): Promise<void>;
}

/** What sequences need of a generation model; `LanguageModel` is one. */
export interface SequenceModel {
  readonly config: CodebookConfig;
  readonly slots: number;
  /** Changes the number of slots; no slot holds anything then, and graphs that were given out are gone. */
  resize(slots: number): void;
  /** Positions a slot has for prompt and audio together. */
  readonly contextLength: number;
  /** Logits of one step. */
  readonly logitsLength: number;
  beginPrefill(slot: number, prompt: PromptRows): PromptPieces;
  prefillPiece(slot: number, piece: PromptPiece): Promise<void>;
  savePrefix(slot: number, count: number): Uint8Array;
  restorePrefix(slot: number, count: number, saved: Uint8Array): void;
  clearSlot(slot: number): void;
  /** Gives slot `to` what the first `count` positions of slot `from` hold. */
  moveSlot(from: number, to: number, count: number): void;
  /** Slots that a step computes when the first `slotCount` are in use. */
  slotsOfStep(slotCount: number): number;
  /** The graph for steps of sequences of up to `length` positions in the first `slotCount` slots. */
  decodeGraph(length: number, slotCount: number): StepGraph;
}

/** One prompt and how to go on from it. The prompt ends with `<|audio_out_bos|>`. */
export interface SequenceRequest extends GenerationOptions, Pick<ColumnGeneratorOptions, "columnsBefore" | "rules"> {
  readonly prompt: PromptRows;
  readonly uniforms: UniformSource;
  /** Rows at the beginning of the prompt that other requests are likely to share: system and reference turns. */
  readonly prefixRows?: number;
}

export interface SequenceListeners {
  readonly signal?: AbortSignal | undefined;
  /** Called when frames `first` … `end` − 1 have become final: later columns cannot change them. */
  readonly onFrames?: (frames: {
    readonly first: number;
    readonly end: number;
    readonly generator: ColumnGenerator;
  }) => void;
}

export interface GeneratedSequence {
  /** `codes[codebook][frame]`, un-delayed and trimmed, values 0 … 1023. */
  readonly codes: readonly Int32Array[];
  readonly finished: FinishReason;
  /** As the model made them, the all-BOS column included: `columns[column * numCodebooks + codebook]`. */
  readonly columns: Int32Array;
  /** Columns that the model could make at most: as asked for, or what the context had room for. */
  readonly columnLimit: number;
  /** Whether the beginning of the prompt was in the prefix cache; null when it has none that could be. */
  readonly prefix: "hit" | "miss" | null;
  readonly prefillMs: number;
  readonly generateMs: number;
}

export type SequencePhase = "prefill" | "decode" | "done";

/** Fewer columns cannot hold a single frame (spec model §7.5). */
function fewestColumns(numCodebooks: number): number {
  return numCodebooks + 2;
}

/**
 * One sequence in one slot: first its prompt goes into the cache piece by piece, then each step feeds its last column and
 * takes the next. The caller decides when.
 */
export class Sequence {
  #slot: number;
  readonly #model: SequenceModel;
  readonly #listeners: SequenceListeners;
  readonly #generator: ColumnGenerator;
  readonly #column: Int32Array;
  readonly #columnLimit: number;
  readonly #pieces: PromptPieces;
  readonly #prefix: SharedPrefix | null;
  #phase: SequencePhase = "prefill";
  /** Taken from the prompt, but not computed yet. */
  #piece: PromptPiece | null = null;
  /** Keys and values while the sequence has no slot. */
  #saved: Uint8Array | null = null;
  #isPrefixHit = false;
  /** Positions that the slot's cache holds. */
  #position: number;
  #reported = 0;
  readonly #startMs = performance.now();
  #prefilledMs = 0;
  #endMs = 0;

  /**
   * A sequence at the start of its prompt.
   *
   * @throws {HiggsError} CONTEXT_OVERFLOW when the prompt leaves no room for audio
   */
  constructor(
    model: SequenceModel,
    slot: number,
    request: SequenceRequest,
    listeners: SequenceListeners,
    prefixCache: PrefixCache | null = null,
  ) {
    const { numCodebooks, idsPerCodebook } = model.config;
    this.#slot = slot;
    this.#model = model;
    this.#listeners = listeners;
    this.#position = request.prompt.isAudio.length;
    this.#columnLimit = Math.min(request.maxColumns, model.contextLength - this.#position);
    if (this.#columnLimit < Math.min(request.maxColumns, fewestColumns(numCodebooks))) {
      throw new HiggsError(
        "CONTEXT_OVERFLOW",
        "generate",
        `the prompt leaves no room for audio (got ${this.#position} positions, limit ${model.contextLength})`,
      );
    }
    this.#column = new Int32Array(numCodebooks);
    const sampler = new Sampler(idsPerCodebook);
    this.#generator = new ColumnGenerator(model.config, { ...request, maxColumns: this.#columnLimit, sampler });
    this.#pieces = model.beginPrefill(slot, request.prompt);
    this.#prefix = prefixCache?.open(request.prompt, request.prefixRows ?? 0) ?? null;
  }

  get slot(): number {
    return this.#slot;
  }

  get phase(): SequencePhase {
    return this.#phase;
  }

  /** Rows of the prompt that are not in the slot yet. */
  get rowsLeft(): number {
    return this.#pieces.rowsLeft + (this.#piece?.isAudio.length ?? 0);
  }

  /** Positions that the next step attends over. */
  get length(): number {
    return this.#position + 1;
  }

  /**
   * Checks the signal of the request.
   *
   * @throws {HiggsError} CANCELLED when it has fired
   */
  throwIfCancelled(): void {
    throwIfCancelled(this.#listeners.signal, "finish the speech");
  }

  /**
   * Computes the next piece of the prompt. After a failure it may be tried again.
   *
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws {GgmlError} when the computation fails
   */
  async prefillPiece(): Promise<void> {
    this.throwIfCancelled();
    await this.#advancePrompt();
    if (!this.#pieces.isDone) return;
    this.throwIfCancelled();
    this.#prefilledMs = performance.now();
    this.#phase = "decode";
    this.#finishIfEnded();
  }

  /** A piece ends at the end of the prefix, so that it is computed in the same pieces whether or not it is cached. */
  async #advancePrompt(): Promise<void> {
    const left = (this.#prefix?.rowCount ?? 0) - this.#pieces.position;
    if (this.#prefix !== null && this.#pieces.position === 0 && this.#piece === null) {
      const saved = this.#prefix.find();
      if (saved !== null) {
        this.#model.restorePrefix(this.#slot, this.#prefix.rowCount, saved);
        this.#pieces.take(this.#prefix.rowCount);
        this.#isPrefixHit = true;
        return;
      }
    }
    this.#piece ??= this.#pieces.take(left > 0 ? Math.min(PREFILL_ROWS, left) : PREFILL_ROWS);
    await this.#model.prefillPiece(this.#slot, this.#piece);
    this.#piece = null;
    if (this.#prefix !== null && this.#pieces.position === this.#prefix.rowCount) {
      this.#prefix.keep(() => this.#model.savePrefix(this.#slot, this.#pieces.position));
    }
  }

  /** Takes what its slot holds into the host's memory; only between two steps. It goes on with `enterSlot`. */
  leaveSlot(): void {
    const count = this.#heldPositions;
    this.#saved = count === 0 ? null : this.#model.savePrefix(this.#slot, count);
  }

  /** Goes on in a free slot where it was when it left its own. */
  enterSlot(slot: number): void {
    this.#slot = slot;
    if (this.#saved !== null) this.#model.restorePrefix(slot, this.#heldPositions, this.#saved);
    this.#saved = null;
  }

  /** Goes on in another, free slot; only between two steps. */
  moveTo(slot: number): void {
    this.#model.moveSlot(this.#slot, slot, this.#position);
    this.#slot = slot;
  }

  /** Sets the inputs of the next step. */
  feed(graph: StepGraph): void {
    this.#generator.copyLastColumn(this.#column);
    graph.setSlot(this.#slot, this.#column, this.#position);
  }

  /**
   * Takes the logits of that step, [slot][codebook][id].
   *
   * @throws {HiggsError} GENERATION_FAILED when they are not finite
   */
  take(logits: Float32Array): void {
    const { numCodebooks, idsPerCodebook } = this.#model.config;
    this.#generator.step(logits, this.#slot * numCodebooks * idsPerCodebook);
    this.#position += 1;
    const end = this.#generator.availableFrames;
    if (end > this.#reported) this.#listeners.onFrames?.({ first: this.#reported, end, generator: this.#generator });
    this.#reported = end;
    this.#finishIfEnded();
  }

  /** Must be called once when the sequence is not driven to its end. */
  abandon(error: unknown): void {
    this.#phase = "done";
    // What was not finite is in the cache too, and would fail the slot's next sequences.
    if (error instanceof HiggsError && error.code === "GENERATION_FAILED") this.#model.clearSlot(this.#slot);
  }

  /** What was made; only when `phase` is `done`. */
  result(): GeneratedSequence {
    return {
      codes: this.#generator.frames(),
      finished: this.#generator.finished ?? "length",
      columns: this.#generator.columns(),
      columnLimit: this.#columnLimit,
      prefix: this.#prefix === null ? null : this.#isPrefixHit ? "hit" : "miss",
      prefillMs: this.#prefilledMs - this.#startMs,
      generateMs: this.#endMs - this.#prefilledMs,
    };
  }

  get #heldPositions(): number {
    if (this.#phase !== "prefill") return this.#position;
    return this.#pieces.position - (this.#piece?.isAudio.length ?? 0);
  }

  #finishIfEnded(): void {
    if (this.#generator.finished === null) return;
    this.throwIfCancelled();
    this.#phase = "done";
    this.#endMs = performance.now();
  }
}
