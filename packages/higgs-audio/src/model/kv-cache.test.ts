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
    using cache = new KvCache(backend, config, { slots: 3, contextLength: 10, type: "f16" });
    const rows = [0, 1, 2].flatMap((slot) => Array.from({ length: 10 }, (_, position) => cache.row(slot, position)));
    expect(new Set([...rows, cache.spareRow]).size).toBe(31);
    // Two tensors a layer, f16.
    expect(cache.byteLength).toBeGreaterThanOrEqual(31 * config.numHiddenLayers * 2 * 8 * 2);
  });

  it("frees what it has when there is no memory", () => {
    using backend = openSmallBackend();
    const dispose = vi.spyOn(TensorArena.prototype, Symbol.dispose);
    const options = { slots: 1, contextLength: 2 ** 44, type: "f32" } as const;
    expect(() => new KvCache(backend, config, options)).toThrow(expect.objectContaining({ kind: "allocation-failed" }));
    expect(dispose).toHaveBeenCalledTimes(1);
    dispose.mockRestore();
  });
});
