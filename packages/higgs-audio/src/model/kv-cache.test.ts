import { TensorArena } from "@higgs-worker/ggml";
import { describe, expect, it, vi } from "vitest";
import { KvCache, kvBucket } from "./kv-cache.ts";
import { openSmallBackend, SMALL_SHAPES } from "./testing/small-models.ts";

describe("kvBucket()", () => {
  it.each([
    [1, 8192, 256],
    [256, 8192, 256],
    [257, 8192, 512],
    [512, 8192, 512],
    [2049, 8192, 4096],
    [8192, 8192, 8192],
    [100, 200, 200],
    [257, 400, 400],
    [9000, 16_384, 16_384],
  ])("%i positions of a context of %i attend over %i", (length, contextLength, expected) => {
    expect(kvBucket(length, contextLength)).toBe(expected);
  });
});

describe("KvCache", () => {
  const config = SMALL_SHAPES["one KV head"];

  it("gives each slot its own rows, and leaves one to none", () => {
    using backend = openSmallBackend();
    using cache = new KvCache(backend, config, { slots: 3, contextLength: 10, types: { keys: "f16", values: "f16" } });
    const rows = [0, 1, 2].flatMap((slot) => Array.from({ length: 10 }, (_, position) => cache.row(slot, position)));
    expect(new Set([...rows, cache.spareRow]).size).toBe(31);
    // Two tensors a layer, f16.
    expect(cache.byteLength).toBeGreaterThanOrEqual(31 * config.numHiddenLayers * 2 * 8 * 2);
  });

  it("zeroes what a slot has not used before it is read, and never what is there", () => {
    using backend = openSmallBackend();
    // Memory as it may come from the allocator.
    const clear = vi.spyOn(TensorArena.prototype, "allocate").mockImplementationOnce(function (this: TensorArena, on) {
      clear.mockRestore();
      this.allocate(on);
      this.clear(0xff);
    });
    using stale = new KvCache(backend, config, { slots: 2, contextLength: 16, types: { keys: "f32", values: "f32" } });
    const used = new Uint8Array(stale.positionsBytes(5)).fill(7);
    stale.copyIn(1, 5, used);
    stale.makeUsable({ firstSlot: 0, slotCount: 2, kvLength: 8 });
    expect(stale.copyOut(0, 8).every((byte) => byte === 0)).toBe(true);
    expect(Buffer.from(stale.copyOut(1, 5)).equals(used)).toBe(true);
    stale.makeUsable({ firstSlot: 1, slotCount: 1, kvLength: 16 });
    expect(Buffer.from(stale.copyOut(1, 5)).equals(used)).toBe(true);
    expect(stale.copyOut(1, 16).filter((byte) => byte !== 0)).toHaveLength(used.length);
    stale.clear(1);
    expect(stale.copyOut(1, 16).every((byte) => byte === 0)).toBe(true);
  });

  it("frees what it has when there is no memory", () => {
    using backend = openSmallBackend();
    const dispose = vi.spyOn(TensorArena.prototype, Symbol.dispose);
    const options = { slots: 1, contextLength: 2 ** 44, types: { keys: "f32", values: "f32" } } as const;
    expect(() => new KvCache(backend, config, options)).toThrow(expect.objectContaining({ kind: "allocation-failed" }));
    expect(dispose).toHaveBeenCalledTimes(1);
    dispose.mockRestore();
  });
});
