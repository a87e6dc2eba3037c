import { type Backend, Graph, type Tensor, TensorArena } from "@higgs-worker/ggml";
import type { HiggsConfig } from "../checkpoint/lm-config.ts";
import { HALF_MINUS_INFINITY, HALF_ZERO } from "./half-floats.ts";
import type { KvCache } from "./kv-cache.ts";
import { buildColumnEmbeddings, buildLayer, buildNorm, buildProduct, type GraphObserver } from "./layers.ts";
import type { HiggsWeights } from "./weights.ts";

const NODES_PER_LAYER = 48;
const OTHER_NODES = 64;

/** What a decode graph is made for. */
export interface DecodeShape {
  /** The first slots of the cache, from 1 on: those behind them cost nothing and stay as they are. */
  readonly slotCount: number;
  /** Positions that a step attends over. */
  readonly kvLength: number;
}

/**
 * One audio step for the first slots, as a static graph for one KV length. Built and allocated once; a step only writes the
 * inputs, computes, and reads the logits. Inputs live in an arena of their own, so that a step touches only what changed
 * and device backends see the same addresses each time.
 */
export class DecodeGraph implements Disposable {
  readonly kvLength: number;
  readonly slotCount: number;
  /** Rows of the graph: one a slot, and for some weights a second one for a slot that is alone. */
  readonly #rowCount: number;
  readonly #backend: Backend;
  readonly #cache: KvCache;
  readonly #config: HiggsConfig;
  readonly #observer: GraphObserver | undefined;
  readonly #graph: Graph;
  readonly #arena: TensorArena;
  readonly #logits: Tensor;
  readonly #ids: Int32Array;
  readonly #positions: Int32Array;
  readonly #kvRows: BigInt64Array;
  readonly #mask: Uint16Array;
  /** Positions that the mask shows for each slot. */
  readonly #visible: Int32Array;
  #lastComputeMs = 0;
  #isFresh = true;

  constructor(
    backend: Backend,
    config: HiggsConfig,
    weights: HiggsWeights,
    cache: KvCache,
    { slotCount, kvLength }: DecodeShape,
    observer?: GraphObserver,
  ) {
    this.kvLength = kvLength;
    this.slotCount = slotCount;
    this.#rowCount = Math.max(slotCount, weights.fewestRows);
    this.#backend = backend;
    this.#observer = observer;
    this.#cache = cache;
    this.#config = config;
    const rows = this.#rowCount;
    this.#arena = defineInputs(backend, config, rows, this.#maskShape);
    this.#ids = new Int32Array(config.numCodebooks * rows);
    this.#positions = new Int32Array(rows);
    this.#kvRows = new BigInt64Array(rows).fill(BigInt(cache.spareRow));
    this.#mask = new Uint16Array(kvLength * rows).fill(HALF_MINUS_INFINITY);
    this.#visible = new Int32Array(rows);
    this.#graph = new Graph(backend.ggml, { maxNodes: NODES_PER_LAYER * config.numHiddenLayers + OTHER_NODES });
    try {
      this.#logits = this.#build(weights);
      this.#graph.allocate(backend, { isRepeated: true });
      this.#arena.tensor("mask").set(this.#mask);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  get scratchBytes(): number {
    return this.#graph.scratchBytes;
  }

  /** Description, scratch memory and inputs, in bytes. */
  get heldBytes(): number {
    return this.#graph.descriptionBytes + this.#graph.scratchBytes + this.#arena.byteLength;
  }

  get nodeCount(): number {
    return this.#graph.nodeCount;
  }

  /** Takes a slot out of the following steps: if the graph has it, it is still computed, but writes no row of a slot. */
  setIdle(slot: number): void {
    if (slot < this.slotCount) this.#kvRows[slot] = BigInt(this.#cache.spareRow);
  }

  /**
   * Sets what a slot feeds in the next step. Required before every step, unless the slot is set idle.
   *
   * @param slot 0 … slotCount − 1
   * @param column ids of one column, one per codebook, each 0 … idsPerCodebook − 1
   * @param position 0 … kvLength − 1, the number of positions that the slot's cache holds
   */
  setSlot(slot: number, column: Int32Array, position: number): void {
    const { numCodebooks, idsPerCodebook } = this.#config;
    for (let k = 0; k < numCodebooks; k++) this.#ids[slot * numCodebooks + k] = k * idsPerCodebook + (column[k] ?? 0);
    this.#positions[slot] = position;
    this.#kvRows[slot] = BigInt(this.#cache.row(slot, position));
    this.#show(slot, position + 1);
  }

  /** Wall time of the last computation, without inputs and logits. */
  get lastComputeMs(): number {
    return this.#lastComputeMs;
  }

  /** Computes the step and fills the beginning of `logits` with f32 [numCodebooks · idsPerCodebook, slotCount]. */
  async compute(logits: Float32Array): Promise<void> {
    this.#writeInputs();
    const startMs = performance.now();
    await this.#backend.computeAsync(this.#graph);
    this.#lastComputeMs = performance.now() - startMs;
    this.#isFresh = true;
    this.#logits.get(logits.subarray(0, this.slotCount * this.#logitsPerSlot));
    this.#observer?.computed(this.#graph, this.#positions.subarray(0, this.slotCount));
  }

  /**
   * Computes a step for nobody, unless one was computed since the last call. All slots are idle in this graph then.
   *
   * @returns whether it computed
   */
  async refresh(): Promise<boolean> {
    const isFresh = this.#isFresh;
    this.#isFresh = false;
    if (isFresh) return false;
    for (let slot = 0; slot < this.slotCount; slot++) this.setIdle(slot);
    this.#writeInputs();
    await this.#backend.computeAsync(this.#graph);
    return true;
  }

  [Symbol.dispose](): void {
    this.#graph[Symbol.dispose]();
    this.#arena[Symbol.dispose]();
  }

  #build(weights: HiggsWeights): Tensor {
    const graph = this.#graph;
    const config = this.#config;
    let cur = buildColumnEmbeddings(graph, weights, config, this.#arena.tensor("ids")); // [nEmbd, rows]
    const split = { textRows: 0, audioRows: this.#rowCount, isMixed: true };
    const attention = {
      positions: this.#arena.tensor("positions"),
      kvRows: this.#arena.tensor("kv_rows"),
      mask: this.#arena.tensor("mask"),
      cache: this.#cache,
      firstSlot: 0,
      slotCount: this.slotCount,
      kvLength: this.kvLength,
    };
    for (let il = 0; il < config.numHiddenLayers; il++) {
      cur = buildLayer(graph, config, weights, il, cur, split, attention);
    }
    const hidden = buildNorm(graph, cur, weights.outputNorm, config.rmsNormEps); // [nEmbd, rows]
    this.#observer?.built(graph, "norm", hidden);
    return graph.output(
      this.#headLogits(buildProduct(graph, weights, weights.audioHead, hidden, split)),
      "result_output",
    );
  }

  /** f32 [numCodebooks · idsPerCodebook, rows], of a single row perhaps with zeros behind: the head has more rows on some devices. */
  #headLogits(padded: Tensor): Tensor {
    const graph = this.#graph;
    if (this.#rowCount === 1 || padded.shape[0] === this.#logitsPerSlot) return padded;
    const { strides } = padded;
    return graph.cont(graph.view(padded, [this.#logitsPerSlot, this.#rowCount], { strides: strides.slice(1) }));
  }

  get #logitsPerSlot(): number {
    return this.#config.numCodebooks * this.#config.idsPerCodebook;
  }

  /** [kvLength, rows a slot, 1, slots]: what attention wants. */
  get #maskShape(): readonly [number, number, number, number] {
    return [this.kvLength, this.#rowCount / this.slotCount, 1, this.slotCount];
  }

  #writeInputs(): void {
    this.#arena.tensor("ids").set(this.#ids);
    this.#arena.tensor("positions").set(this.#positions);
    this.#arena.tensor("kv_rows").set(this.#kvRows);
  }

  /** Makes the first `count` positions of a slot visible, and uploads only the part of the mask that changed. */
  #show(slot: number, count: number): void {
    const shown = this.#visible[slot] ?? 0;
    if (count === shown) return;
    const [from, to] = count > shown ? [shown, count] : [count, shown];
    const first = slot * this.kvLength + from;
    const changed = this.#mask.subarray(first, slot * this.kvLength + to);
    changed.fill(count > shown ? HALF_ZERO : HALF_MINUS_INFINITY);
    this.#arena.tensor("mask").set(changed, first * Uint16Array.BYTES_PER_ELEMENT);
    this.#visible[slot] = count;
  }
}

function defineInputs(
  backend: Backend,
  config: HiggsConfig,
  rows: number,
  maskShape: readonly [number, number, number, number],
): TensorArena {
  const arena = new TensorArena(backend.ggml, { maxTensors: 4 });
  arena.define("ids", "i32", config.numCodebooks * rows);
  arena.define("positions", "i32", rows);
  arena.define("kv_rows", "i64", rows);
  arena.define("mask", "f16", ...maskShape);
  arena.allocate(backend);
  arena.clear();
  return arena;
}
