import { HiggsError, throwIfCancelled } from "@higgs-worker/base";
import type { Backend } from "@higgs-worker/ggml";
import type { HiggsConfig } from "../checkpoint/lm-config.ts";
import { DecodeGraph } from "./decode-graph.ts";
import { isOutOfMemory } from "./ggml-failure.ts";
import type { GraphObserver } from "./layers.ts";
import { KvCache, kvBucket, type KvTypes, slotBucket } from "./kv-cache.ts";
import { type PrefillRows, prefill } from "./prefill-graph.ts";
import { PREFILL_ROWS, type PromptPiece, PromptPieces } from "./prompt-pieces.ts";
import type { PromptRows } from "./prompt-rows.ts";
import { HiggsWeights, type LoadWeightsOptions } from "./weights.ts";
import type { WeightSource } from "./weight-source.ts";

export interface LanguageModelOptions extends LoadWeightsOptions {
  /** Positions per slot: prompt and audio together. */
  readonly contextLength: number;
  /** Sequences that can be generated at the same time. */
  readonly slots: number;
  readonly kvTypes: KvTypes;
  /**
   * Steps of one shape only, all slots and the whole context: for devices that choose kernels by shape, where a seed otherwise
   * gives other codes beside others. The CPU needs it not.
   */
  readonly isShapeFixed?: boolean | undefined;
  readonly observer?: GraphObserver | undefined;
  /** Told when there was no memory for the cache, and it was made with half of the slots. */
  readonly onFewerSlots?: ((slots: number, cause: unknown) => void) | undefined;
}

/**
 * The generation model on a device: prompts go into a slot's cache with `prefill`, then each `step` takes one column per
 * slot and gives the logits of the next. Knows ids only; not safe for overlapping calls.
 */
export class LanguageModel implements Disposable {
  readonly config: HiggsConfig;
  readonly contextLength: number;
  readonly #backend: Backend;
  readonly #weights: HiggsWeights;
  #cache: KvCache;
  readonly #observer: GraphObserver | undefined;
  readonly #isShapeFixed: boolean;
  #pieceScratchBytes = 0;
  /** By slots and KV length. */
  readonly #graphs = new Map<string, DecodeGraph>();

  private constructor(
    backend: Backend,
    config: HiggsConfig,
    weights: HiggsWeights,
    cache: KvCache,
    { observer, isShapeFixed = false }: Pick<LanguageModelOptions, "observer" | "isShapeFixed">,
  ) {
    this.config = config;
    this.contextLength = cache.contextLength;
    this.#backend = backend;
    this.#weights = weights;
    this.#cache = cache;
    this.#observer = observer;
    this.#isShapeFixed = isShapeFixed;
  }

  /**
   * Loads the weights and allocates the cache, of half of the slots when there is no memory for all. The source may be closed
   * afterwards.
   *
   * @throws {GgmlError} `allocation-failed` when memory is too small
   * @throws what the source throws
   */
  static async load(backend: Backend, source: WeightSource, options: LanguageModelOptions): Promise<LanguageModel> {
    const weights = await HiggsWeights.load(backend, source, options);
    try {
      const cache = allocateCache(backend, source.config, options);
      return new LanguageModel(backend, source.config, weights, cache, options);
    } catch (error) {
      weights[Symbol.dispose]();
      throw error;
    }
  }

  get slots(): number {
    return this.#cache.slots;
  }

  /**
   * Takes a cache of another number of slots in place of this one, which is freed before. No slot holds anything then, and graphs
   * that were given out are gone.
   *
   * @throws {GgmlError} `allocation-failed` when memory is too small; then only disposing is left
   */
  resize(slots: number): void {
    const { contextLength, types } = this.#cache;
    this.#freeGraphs();
    this.#cache[Symbol.dispose]();
    this.#cache = new KvCache(this.#backend, this.config, { slots, contextLength, types });
  }

  /** What all graphs for steps that were made so far hold: descriptions, scratch memory and inputs, in bytes. */
  get stepScratchBytes(): number {
    return [...this.#graphs.values()].reduce((sum, graph) => sum + graph.heldBytes, 0);
  }

  /** The most that the graph of a piece of a prompt held so far, in bytes. */
  get pieceScratchBytes(): number {
    return this.#pieceScratchBytes;
  }

  /** Bytes of text embeddings in the host's memory. */
  get textEmbeddingBytes(): number {
    return this.#weights.textEmbeddings.byteLength;
  }

  get weightBytes(): number {
    return this.#weights.byteLength;
  }

  get cacheBytes(): number {
    return this.#cache.byteLength;
  }

  /** Bytes of weights that one audio step reads: the audio branch, attention and head; not the text branch. */
  get audioStepBytes(): number {
    return this.#weights.audioStepBytes;
  }

  /** Logits of one step: [slot][codebook][id]. */
  get logitsLength(): number {
    return this.slots * this.config.numCodebooks * this.config.idsPerCodebook;
  }

  /**
   * Puts a prompt into a slot, from position 0 on; what the slot held is forgotten.
   *
   * @throws {HiggsError} CANCELLED when the signal fires, between two pieces
   * @throws {HiggsError} CONTEXT_OVERFLOW when the prompt does not fit
   */
  async prefill(slot: number, prompt: PromptRows, signal?: AbortSignal): Promise<void> {
    const pieces = this.beginPrefill(slot, prompt);
    do {
      throwIfCancelled(signal, "read the prompt");
      await this.prefillPiece(slot, pieces.take(PREFILL_ROWS));
    } while (!pieces.isDone);
    throwIfCancelled(signal, "read the prompt");
  }

  /**
   * Prepares a slot for a prompt, whose pieces must then be computed in order.
   *
   * @throws {HiggsError} CONTEXT_OVERFLOW when the prompt does not fit
   */
  beginPrefill(slot: number, prompt: PromptRows): PromptPieces {
    const count = prompt.isAudio.length;
    if (count > this.contextLength) {
      throw new HiggsError(
        "CONTEXT_OVERFLOW",
        "read the prompt",
        `it does not fit the context (got ${count} positions, limit ${this.contextLength})`,
      );
    }
    this.#setIdle(slot);
    return new PromptPieces(prompt, this.config.numCodebooks);
  }

  /** Computes one piece. Steps of other slots may come between two pieces. */
  async prefillPiece(slot: number, piece: PromptPiece): Promise<void> {
    const rows = this.#rowsOf(slot, piece);
    const held = await prefill(this.#backend, this.config, this.#weights, this.#cache, rows, this.#observer);
    this.#pieceScratchBytes = Math.max(this.#pieceScratchBytes, held);
  }

  /** The first `count` positions of a slot, to be given to `restorePrefix` of any slot later. */
  savePrefix(slot: number, count: number): Uint8Array {
    return this.#cache.copyOut(slot, count);
  }

  /** Makes the first `count` positions of a slot what was saved, instead of computing them. */
  restorePrefix(slot: number, count: number, saved: Uint8Array): void {
    this.#cache.copyIn(slot, count, saved);
  }

  /**
   * Forgets what a slot holds down to the last byte. Needed after values that were not finite, which would spoil the slot's
   * later sequences even where they are masked.
   */
  clearSlot(slot: number): void {
    this.#setIdle(slot);
    this.#cache.clear(slot);
  }

  /** Gives slot `to` what the first `count` positions of slot `from` hold; slot `from` is free then. */
  moveSlot(from: number, to: number, count: number): void {
    this.#setIdle(from);
    this.#cache.move(from, to, count);
  }

  /** Slots that a step computes when the first `slotCount` are in use. */
  slotsOfStep(slotCount: number): number {
    return this.#isShapeFixed ? this.slots : slotBucket(slotCount, this.slots);
  }

  /** The graph that covers sequences of `length` positions in the first `slotCount` slots (default: all); built on first use. */
  decodeGraph(length: number, slotCount = this.slots): DecodeGraph {
    const kvLength = this.#isShapeFixed ? this.contextLength : kvBucket(length, this.contextLength);
    const shape = { slotCount: this.slotsOfStep(slotCount), kvLength };
    const key = `${shape.slotCount} ${shape.kvLength}`;
    let graph = this.#graphs.get(key);
    if (graph === undefined) {
      graph = new DecodeGraph(this.#backend, this.config, this.#weights, this.#cache, shape, this.#observer);
      this.#graphs.set(key, graph);
    }
    return graph;
  }

  /**
   * Computes each graph for a single sequence once, for nobody, that was not computed since the last call: some devices forget what
   * they recorded of a graph that is not used (`keepGraphsWarm`). The larger steps of many sequences notice it less.
   *
   * @returns the number of graphs that were computed
   */
  async refreshGraphs(): Promise<number> {
    let count = 0;
    for (const graph of this.#graphs.values()) {
      if (graph.slotCount === this.slotsOfStep(1) && (await graph.refresh())) count += 1;
    }
    return count;
  }

  [Symbol.dispose](): void {
    this.#freeGraphs();
    this.#cache[Symbol.dispose]();
    this.#weights[Symbol.dispose]();
  }

  #freeGraphs(): void {
    for (const graph of this.#graphs.values()) graph[Symbol.dispose]();
    this.#graphs.clear();
  }

  /** The graphs remember each slot's last step, and would write it once more, into what the slot gets now. */
  #setIdle(slot: number): void {
    for (const graph of this.#graphs.values()) graph.setIdle(slot);
  }

  #rowsOf(slot: number, { firstPosition, isAudio, textIds, columnIds }: PromptPiece): PrefillRows {
    const textEmbeddings = this.#weights.textEmbeddings.rows(textIds);
    return { slot, firstPosition, isAudio, textEmbeddings, columnIds };
  }
}

function allocateCache(backend: Backend, config: HiggsConfig, options: LanguageModelOptions): KvCache {
  const { contextLength, kvTypes: types } = options;
  try {
    return new KvCache(backend, config, { slots: options.slots, contextLength, types });
  } catch (error) {
    const slots = Math.floor(options.slots / 2);
    if (!isOutOfMemory(error) || slots === 0) throw error;
    const cache = new KvCache(backend, config, { slots, contextLength, types });
    options.onFewerSlots?.(slots, error);
    return cache;
  }
}
