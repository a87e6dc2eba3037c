import type { Backend, Graph, Tensor } from "@higgs-worker/ggml";
import { TensorArena, rowBytes } from "@higgs-worker/ggml";
import type { HiggsConfig } from "../checkpoint/lm-config.ts";

/** Lengths for which a graph is made; a step attends over the smallest one that covers its sequence (spec contract §6.3). */
export const KV_BUCKETS = [256, 512, 1024, 2048, 4096, 8192];

/** The smallest bucket that holds `length` positions, at most the context. */
export function kvBucket(length: number, contextLength: number): number {
  const bucket = KV_BUCKETS.find((size) => size >= length) ?? contextLength;
  return Math.min(bucket, contextLength);
}

/** Numbers of slots for which a graph is made: a step computes the smallest one that covers the slots in use. */
export function slotBucket(slotCount: number, slots: number): number {
  return Math.min(2 ** Math.ceil(Math.log2(Math.max(1, slotCount))), slots);
}

/** The first `kvLength` positions of `slotCount` slots from `firstSlot` on. */
export interface SlotRange {
  readonly firstSlot: number;
  readonly slotCount: number;
  readonly kvLength: number;
}

/** How keys and values are held. */
export interface KvTypes {
  readonly keys: "f16" | "f32";
  readonly values: "f16" | "f32";
}

/**
 * The types to serve with on a device. ggml's CPU kernel for one query cuts a long cache into one part a thread if both are of
 * one type, and rounds what it sums up to theirs: with values in f32 it does neither, so that the number of threads and of slots
 * makes no difference, and greedy sequences are the reference's. Attention of other devices takes no such pair.
 */
export function servedKvTypes(device: { readonly kind: string }): KvTypes {
  return { keys: "f16", values: device.kind === "cpu" ? "f32" : "f16" };
}

export interface KvCacheOptions {
  readonly slots: number;
  /** Positions per slot. */
  readonly contextLength: number;
  readonly types: KvTypes;
}

/**
 * Keys and values of all layers for a fixed number of slots; slot s owns rows s·context … (s+1)·context − 1. One spare row
 * behind them takes the writes of idle slots, which would otherwise spoil a prompt that is being put in.
 */
export class KvCache implements Disposable {
  readonly slots: number;
  readonly contextLength: number;
  readonly types: KvTypes;
  readonly #config: HiggsConfig;
  readonly #arena: TensorArena;
  /** For each slot, the positions that hold numbers: zeros, or keys and values. The memory behind them is as it was allocated. */
  readonly #usableLengths: number[];

  constructor(backend: Backend, config: HiggsConfig, options: KvCacheOptions) {
    this.slots = options.slots;
    this.types = options.types;
    this.contextLength = options.contextLength;
    this.#config = config;
    this.#arena = new TensorArena(backend.ggml, { maxTensors: 2 * config.numHiddenLayers });
    const width = config.headDim * config.numKeyValueHeads;
    for (let il = 0; il < config.numHiddenLayers; il++) {
      // [headDim · nHeadKv, context · slots + 1]
      this.#arena.define(`cache_k-${il}`, options.types.keys, width, this.spareRow + 1);
      this.#arena.define(`cache_v-${il}`, options.types.values, width, this.spareRow + 1);
    }
    try {
      this.#arena.allocate(backend);
    } catch (error) {
      this.#arena[Symbol.dispose]();
      throw error;
    }
    this.#usableLengths = Array.from({ length: options.slots }, () => 0);
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

  /**
   * Zeroes the positions of these slots that were never used, up to `kvLength`: what is masked is still multiplied by 0, and
   * 0 · NaN is NaN. To be called before a graph that writes or reads there is computed. Zeroing all at the start would take a
   * second a gigabyte, most of which short texts never use.
   */
  makeUsable({ firstSlot, slotCount, kvLength }: SlotRange): void {
    for (let slot = firstSlot; slot < firstSlot + slotCount; slot++) {
      const usableLength = this.#usableLengths[slot] ?? 0;
      if (usableLength >= kvLength) continue;
      this.#zero(slot, usableLength, kvLength);
      this.#usableLengths[slot] = kvLength;
    }
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
  read(graph: Graph, cache: Tensor, slots: SlotRange): Tensor {
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
    const { keys, values } = this.types;
    return this.#config.numHiddenLayers * (rowBytes(keys, width) + rowBytes(values, width)) * count;
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
    this.#usableLengths[slot] = Math.max(this.#usableLengths[slot] ?? 0, count);
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

  /** Gives slot `to` the first `count` positions of slot `from`, where they then are worthless. */
  move(from: number, to: number, count: number): void {
    for (const [name, tensor] of this.#arena.tensors()) {
      const rowBytesOf = tensor.strides[1];
      const host = this.#arena.hostBytes(name);
      const [source, target] = [this.row(from, 0) * rowBytesOf, this.row(to, 0) * rowBytesOf];
      if (host === null) {
        const part = new Uint8Array(rowBytesOf * count);
        tensor.get(part, source);
        tensor.set(part, target);
      } else host.copyWithin(target, source, source + rowBytesOf * count);
    }
    this.#usableLengths[to] = Math.max(this.#usableLengths[to] ?? 0, count);
  }

  /** Zeroes what a slot holds, after values that were not finite. */
  clear(slot: number): void {
    this.#zero(slot, 0, this.#usableLengths[slot] ?? 0);
  }

  #zero(slot: number, start: number, end: number): void {
    if (end <= start) return;
    for (const [, tensor] of this.#arena.tensors()) {
      const [, rowStride] = tensor.strides;
      tensor.fill(0, this.row(slot, start) * rowStride, (end - start) * rowStride);
    }
  }

  [Symbol.dispose](): void {
    this.#arena[Symbol.dispose]();
  }
}
