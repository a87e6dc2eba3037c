import { expect, it } from "vitest";
import { ClipCache } from "./clip-cache.ts";

const clip = (samples: number) => ({ pcm: new Float32Array(samples), hash: "h", durationSeconds: 1, warnings: [] });

it("keeps what was used last within its budget", () => {
  const cache = new ClipCache(1000);
  for (const hash of ["a", "b"]) cache.keep(hash, clip(100));
  expect(cache.get("a")).not.toBeNull();
  cache.keep("c", clip(100));
  expect(["a", "b", "c"].map((hash) => cache.get(hash) !== null)).toEqual([true, false, true]);
  cache.keep("c", clip(50));
  expect(cache.bytes).toBe(600);
});

it("gives back a clip that is larger than the budget, without keeping it", () => {
  const cache = new ClipCache(100);
  expect(cache.keep("a", clip(100)).pcm).toHaveLength(100);
  expect(cache.get("a")).toBeNull();
  expect(cache.bytes).toBe(0);
});
