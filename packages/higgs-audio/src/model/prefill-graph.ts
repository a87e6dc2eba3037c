import { type Backend, Graph, type Tensor } from "@higgs-worker/ggml";
import type { HiggsConfig } from "../checkpoint/lm-config.ts";
import { HALF_MINUS_INFINITY, HALF_ZERO } from "./half-floats.ts";
import { type KvCache, kvBucket } from "./kv-cache.ts";
import { buildColumnEmbeddings, buildLayer, type GraphObserver } from "./layers.ts";
import type { HiggsWeights } from "./weights.ts";

const NODES_PER_LAYER = 72;
const OTHER_NODES = 96;

/** Rows of a prompt that are computed together; positions follow each other from `firstPosition` on. */
export interface PrefillRows {
  readonly slot: number;
  readonly firstPosition: number;
  /** For each row, in the order of positions: 1 when it is a clip's column (spec model §4.1). */
  readonly isAudio: Uint8Array;
  /** f32 [nEmbd · text rows], in the order of positions. */
  readonly textEmbeddings: Float32Array;
  /** Ids of the clip columns, [column][codebook], in the order of positions. */
  readonly columnIds: Int32Array;
}

/**
 * Puts the keys and values of prompt rows into the cache. No logits: the first thing sampled depends on the BOS column, which
 * is a decode step (spec model §13). So the last layer ends at its keys and values.
 *
 * @returns bytes that the graph held
 * @throws {GgmlError} `allocation-failed` when memory is too small
 * @throws {GgmlError} `compute-failed` when ggml reports a failure
 */
export async function prefill(
  backend: Backend,
  config: HiggsConfig,
  weights: HiggsWeights,
  cache: KvCache,
  rows: PrefillRows,
  observer?: GraphObserver,
): Promise<number> {
  using graph = new PrefillGraph(backend, config, weights, cache, rows, observer);
  await graph.compute();
  return graph.heldBytes;
}

class PrefillGraph implements Disposable {
  readonly #backend: Backend;
  readonly #graph: Graph;
  readonly #rows: PrefillRows;
  readonly #config: HiggsConfig;
  readonly #cache: KvCache;
  readonly #observer: GraphObserver | undefined;
  readonly #kvLength: number;
  /** Positions, relative to the first, in the order of the graph's rows: text rows, then audio rows. */
  readonly #order: readonly number[];
  readonly #textRows: number;
  readonly #inputs: ReadonlyMap<string, Tensor>;

  constructor(
    backend: Backend,
    config: HiggsConfig,
    weights: HiggsWeights,
    cache: KvCache,
    rows: PrefillRows,
    observer: GraphObserver | undefined,
  ) {
    this.#backend = backend;
    this.#config = config;
    this.#cache = cache;
    this.#observer = observer;
    this.#rows = rows;
    this.#kvLength = kvBucket(rows.firstPosition + rows.isAudio.length, cache.contextLength);
    const all = Array.from(rows.isAudio.keys());
    const text = all.filter((index) => rows.isAudio[index] === 0);
    this.#textRows = text.length;
    this.#order = [...text, ...all.filter((index) => rows.isAudio[index] === 1)];
    this.#graph = new Graph(backend.ggml, { maxNodes: NODES_PER_LAYER * config.numHiddenLayers + OTHER_NODES });
    try {
      this.#inputs = this.#defineInputs();
      this.#build(weights);
      this.#graph.allocate(backend);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  get heldBytes(): number {
    return this.#graph.descriptionBytes + this.#graph.scratchBytes;
  }

  async compute(): Promise<void> {
    const rows = this.#rows;
    this.#set("text_embeddings", rows.textEmbeddings);
    this.#set("column_ids", this.#columnIds());
    const positions = Int32Array.from(this.#order, (index) => rows.firstPosition + index);
    this.#set("positions", positions);
    this.#set(
      "kv_rows",
      BigInt64Array.from(this.#order, (index) => BigInt(this.#kvRow(index))),
    );
    this.#set("mask", this.#mask());
    await this.#backend.computeAsync(this.#graph);
    this.#observer?.computed(this.#graph, positions);
  }

  [Symbol.dispose](): void {
    this.#graph[Symbol.dispose]();
  }

  get #audioRows(): number {
    return this.#order.length - this.#textRows;
  }

  #defineInputs(): ReadonlyMap<string, Tensor> {
    const { hiddenSize, numCodebooks } = this.#config;
    const count = this.#order.length;
    const inputs = new Map<string, Tensor>();
    const define = (name: string, type: "f32" | "i32" | "i64" | "f16", ...dimensions: number[]): void => {
      inputs.set(name, this.#graph.input(name, type, ...dimensions));
    };
    if (this.#textRows > 0) define("text_embeddings", "f32", hiddenSize, this.#textRows);
    if (this.#audioRows > 0) define("column_ids", "i32", numCodebooks * this.#audioRows);
    define("positions", "i32", count);
    define("kv_rows", "i64", count);
    define("mask", "f16", this.#kvLength, count);
    return inputs;
  }

  #build(weights: HiggsWeights): void {
    const graph = this.#graph;
    const config = this.#config;
    const split = { textRows: this.#textRows, audioRows: this.#audioRows, isMixed: false };
    const attention = {
      positions: this.#input("positions"),
      kvRows: this.#input("kv_rows"),
      mask: this.#input("mask"),
      cache: this.#cache,
      firstSlot: this.#rows.slot,
      slotCount: 1,
      kvLength: this.#kvLength,
    };
    let cur = this.#buildEmbeddings(weights); // [nEmbd, rows]
    this.#observer?.built(graph, "embeddings", cur);
    for (let il = 0; il < config.numHiddenLayers; il++) {
      cur = buildLayer(graph, config, weights, il, cur, split, attention);
      this.#observer?.built(graph, `layer.${il}`, cur);
    }
  }

  #buildEmbeddings(weights: HiggsWeights): Tensor {
    if (this.#audioRows === 0) return this.#input("text_embeddings");
    const audio = buildColumnEmbeddings(this.#graph, weights, this.#config, this.#input("column_ids"));
    return this.#textRows === 0 ? audio : this.#graph.concat(this.#input("text_embeddings"), audio, 1);
  }

  #input(name: string): Tensor {
    const tensor = this.#inputs.get(name);
    if (tensor === undefined) throw new RangeError(`Cannot use prefill input ${name}: these rows have none`);
    return tensor;
  }

  #set(name: string, data: NodeJS.ArrayBufferView): void {
    this.#inputs.get(name)?.set(data);
  }

  #columnIds(): Int32Array {
    const { numCodebooks, idsPerCodebook } = this.#config;
    return this.#rows.columnIds.map((id, index) => (index % numCodebooks) * idsPerCodebook + id);
  }

  #kvRow(index: number): number {
    return this.#cache.row(this.#rows.slot, this.#rows.firstPosition + index);
  }

  /** Row r sees all positions up to its own. */
  #mask(): Uint16Array {
    const mask = new Uint16Array(this.#kvLength * this.#order.length).fill(HALF_MINUS_INFINITY);
    for (const [row, index] of this.#order.entries()) {
      const start = row * this.#kvLength;
      mask.fill(HALF_ZERO, start, start + this.#rows.firstPosition + index + 1);
    }
    return mask;
  }
}
