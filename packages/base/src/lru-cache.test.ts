import { describe, expect, it } from "vitest";
import { LruCache } from "./lru-cache.ts";

describe("LruCache", () => {
  it("drops what was used least recently when the sizes exceed the limit, and tells", () => {
    const dropped: string[] = [];
    const cache = new LruCache<string, number>({
      maxSize: 10,
      sizeOf: (value) => value,
      onDrop: (value, key) => dropped.push(`${key}${value}`),
    });
    cache.set("a", 4);
    cache.set("b", 4);
    expect(cache.get("a")).toBe(4);
    cache.set("c", 5);
    expect([cache.has("b"), cache.count, cache.size, dropped]).toEqual([false, 2, 9, ["b4"]]);
    expect(cache.set("a", 1)).toBe(true);
    expect([cache.size, dropped]).toEqual([6, ["b4", "a4"]]);
    cache.clear();
    expect([cache.count, cache.size, dropped.length]).toEqual([0, 0, 4]);
  });

  it("does not keep a value that alone exceeds the limit, nor drop others for it", () => {
    const cache = new LruCache<string, number>({ maxSize: 10, sizeOf: (value) => value });
    cache.set("a", 10);
    expect(cache.set("b", 11)).toBe(false);
    expect([cache.get("a"), cache.get("b")]).toEqual([10, undefined]);
    expect(new LruCache({ maxEntries: 0 }).set("a", 1)).toBe(false);
  });

  it("is bounded by the number of entries too", () => {
    const cache = new LruCache<number, string>({ maxEntries: 2 });
    for (const key of [1, 2, 3]) cache.set(key, String(key));
    expect([...cache.values()]).toEqual(["2", "3"]);
  });

  it("makes room before a value is made", () => {
    const cache = new LruCache<string, number>({ maxSize: 10, sizeOf: (value) => value });
    for (const key of ["a", "b"]) cache.set(key, 5);
    cache.makeRoom(5);
    expect([cache.has("a"), cache.has("b")]).toEqual([false, true]);
  });
});
