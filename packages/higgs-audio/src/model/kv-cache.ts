import type { Backend, Graph, Tensor } from "@higgs-worker/ggml";
import { TensorArena, rowBytes } from "@higgs-worker/ggml";
import type { HiggsConfig } from "../checkpoint/lm-config.ts";

/** Lengths for which a graph is made; a step attends over the smallest one that covers its sequence (spec contract §6.3). */
const KV_BUCKETS = [256, 512, 1024, 2048, 4096, 8192];

/** The smallest bucket that holds `length` positions, at most the context. */
export function kvBucket(length: number, contextLength: number): number {
  const bucket = KV_BUCKETS.find((size) => size >= length) ?? contextLength;
  return Math.min(bucket, contextLength);
}

export interface KvCacheOptions {
  readonly slots: number;
  /** Positions per slot. */
  readonly contextLength: number;
  readonly type: "f16" | "f32";
}

/**
 * Keys and values of all layers for a fixed number of slots; slot s owns rows s·context … (s+1)·context − 1. One spare row
 * behind them takes the writes of idle slots, which would otherwise spoil a prompt that is being put in.
 */
export class KvCache implements Disposable {
  readonly slots: number;
  readonly contextLength: number;
  readonly #config: HiggsConfig;
  readonly #type: KvCacheOptions["type"];
  readonly #arena: TensorArena;

  constructor(backend: Backend, config: HiggsConfig, options: KvCacheOptions) {
    this.slots = options.slots;
    this.#type = options.type;
    this.contextLength = options.contextLength;
    this.#config = config;
    this.#arena = new TensorArena(backend.ggml, { maxTensors: 2 * config.numHiddenLayers });
    const width = config.headDim * config.numKeyValueHeads;
    for (let il = 0; il < config.numHiddenLayers; il++) {
      // [headDim · nHeadKv, context · slots + 1]
      this.#arena.define(`cache_k-${il}`, options.type, width, this.spareRow + 1);
      this.#arena.define(`cache_v-${il}`, options.type, width, this.spareRow + 1);
    }
    try {
      this.#arena.allocate(backend);
      // As in `clear`: stale memory may hold NaN.
      this.#arena.clear();
    } catch (error) {
      this.#arena[Symbol.dispose]();
      throw error;
    }
  }

  get byteLength(): number {
    return this.#arena.byteLength;
  }

  /** The row that belongs to no slot. */
  get spareRow(): number {
    return this.contextLength * this.slots;
  }

  /** Row of a position in the cache tensors. */
  row(slot: number, position: number): number {
    return slot * this.contextLength + position;
  }

  /** Adds the writes of new keys and values, f32 [headDim · nHeadKv, rows] at i64 [rows], and returns the written caches. */
  write(graph: Graph, il: number, k: Tensor, v: Tensor, rows: Tensor): { readonly k: Tensor; readonly v: Tensor } {
    return {
      k: graph.require(graph.setRows(this.#arena.tensor(`cache_k-${il}`), k, rows)),
      v: graph.require(graph.setRows(this.#arena.tensor(`cache_v-${il}`), v, rows)),
    };
  }

  /**
   * The first `kvLength` positions of `slotCount` slots from `firstSlot` on, as attention wants them:
   * [headDim, kvLength, nHeadKv, slotCount].
   */
  read(graph: Graph, cache: Tensor, slots: { firstSlot: number; slotCount: number; kvLength: number }): Tensor {
    const { headDim, numKeyValueHeads } = this.#config;
    const positionStride = cache.strides[1];
    const headStride = positionStride / numKeyValueHeads;
    const slotStride = positionStride * this.contextLength;
    return graph.view(cache, [headDim, slots.kvLength, numKeyValueHeads, slots.slotCount], {
      strides: [positionStride, headStride, slotStride],
      byteOffset: slots.firstSlot * slotStride,
    });
  }

  /** Bytes of the first `count` positions of a slot, over all layers. */
  positionsBytes(count: number): number {
    const width = this.#config.headDim * this.#config.numKeyValueHeads;
    return 2 * this.#config.numHiddenLayers * rowBytes(this.#type, width) * count;
  }

  /** Copies the first `count` positions of a slot to the host, layer by layer, keys then values. */
  copyOut(slot: number, count: number): Uint8Array {
    const bytes = new Uint8Array(this.positionsBytes(count));
    this.#eachRange(slot, count, bytes, (tensor, part, byteOffset) => tensor.get(part, byteOffset));
    return bytes;
  }

  /** The reverse: makes the first `count` positions of a slot what `copyOut` gave. */
  copyIn(slot: number, count: number, bytes: Uint8Array): void {
    this.#eachRange(slot, count, bytes, (tensor, part, byteOffset) => tensor.set(part, byteOffset));
  }

  #eachRange(
    slot: number,
    count: number,
    bytes: Uint8Array,
    copy: (tensor: Tensor, part: Uint8Array, byteOffset: number) => void,
  ): void {
    let done = 0;
    for (const [, tensor] of this.#arena.tensors()) {
      const length = tensor.strides[1] * count;
      copy(tensor, bytes.subarray(done, done + length), tensor.strides[1] * this.row(slot, 0));
      done += length;
    }
  }

  /** Zeroes all positions of a slot: what is masked is still multiplied by 0, and 0 · NaN is NaN. */
  clear(slot: number): void {
    for (const [, tensor] of this.#arena.tensors()) {
      const slotBytes = tensor.strides[1] * this.contextLength;
      tensor.fill(0, slot * slotBytes, slotBytes);
    }
  }

  [Symbol.dispose](): void {
    this.#arena[Symbol.dispose]();
  }
}
