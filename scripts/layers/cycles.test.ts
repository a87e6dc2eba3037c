import { describe, expect, it } from "vitest";
import { findCycles } from "./cycles.ts";

const cyclesOf = (arrows: Readonly<Record<string, readonly string[]>>) => findCycles(new Map(Object.entries(arrows)));

describe("findCycles()", () => {
  it("finds none in a tree and in a diamond", () => {
    expect(cyclesOf({ a: ["b", "c"], b: ["d"], c: ["d"], d: ["elsewhere"] })).toEqual([]);
  });

  it("names a circle of two, a longer one, and a file that imports itself", () => {
    expect(cyclesOf({ a: ["b"], b: ["a"] })).toEqual([["a", "b", "a"]]);
    expect(cyclesOf({ x: ["c"], c: ["d"], d: ["b"], b: ["c"] })).toEqual([["b", "c", "d", "b"]]);
    expect(cyclesOf({ a: ["a"] })).toEqual([["a", "a"]]);
  });

  it("says each group of files once, by a shortest circle", () => {
    expect(cyclesOf({ a: ["b", "c"], b: ["c"], c: ["a"], d: ["e"], e: ["d"] })).toEqual([
      ["a", "c", "a"],
      ["d", "e", "d"],
    ]);
  });
});
