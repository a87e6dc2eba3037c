import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { slowDraw, slowWarp } from "../testing/slow-sampling.ts";
import { Sampler, type WarpOptions } from "./sampler.ts";

const LENGTH = 1026;
const sampler = new Sampler(LENGTH);

function warp(logits: readonly number[], options: WarpOptions) {
  const row = sampler.warpRow(Float32Array.from(logits), 0, logits.length, options);
  const ids = [...row.ids.subarray(0, row.count)];
  return { ids, probabilities: [...row.weights.subarray(0, row.count)].map((weight) => weight / row.total) };
}

function draw(logits: readonly number[], options: WarpOptions, uniform: number): number {
  return sampler.sampleRow(Float32Array.from(logits), 0, logits.length, options, uniform);
}

/** Rows as models make them, rows full of ties, flat and peaked ones, and some on a tiny range. */
const rows = fc
  .tuple(
    fc.constantFrom(1, 2, 7, 40, 65, 200, LENGTH),
    fc.constantFrom(0.001, 0.3, 3, 12),
    fc.constantFrom(0, 0.5, 0.01),
    fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    fc.integer({ min: -20, max: 20 }),
  )
  .map(([length, spread, grid, seed, shift]) => {
    let state = seed;
    const next = () => (state = (Math.imul(state, 48271) ^ (state >>> 7) ^ 0x9e3779b9) | 0) / 2 ** 31;
    return Array.from({ length }, () => {
      const value = (next() + next() + next() + next()) * spread + shift;
      return Math.fround(grid === 0 ? value : Math.round(value / grid) * grid);
    });
  });

const options = fc.record({
  temperature: fc.constantFrom(1, 0.7, 0.3, 1.3, 2, 0.05),
  topK: fc.constantFrom(0, 1, 3, 12, 50, 128, 500, 1025, 1026, 5000),
  topP: fc.constantFrom(1, 0.999, 0.95, 0.9, 0.5, 0.1, 0.001, 1e-12),
  minP: fc.constantFrom(undefined, 0, 0.001, 0.05, 0.2, 0.5, 0.999),
});

describe("Sampler", () => {
  it("keeps the ids and probabilities of the sorted, obvious way", () => {
    fc.assert(
      fc.property(rows, options, (logits, options) => {
        const expected = slowWarp(logits, options);
        fc.pre(expected.closestToCut > 1e-6);
        const actual = warp(logits, options);
        expect(actual.ids).toEqual(expected.ids);
        actual.probabilities.forEach((probability, index) => {
          expect(Math.abs(probability - (expected.probabilities[index] ?? Number.NaN))).toBeLessThan(1e-6);
        });
      }),
      { numRuns: 1500 },
    );
  });

  it("draws the first id whose cumulative probability exceeds the number", () => {
    fc.assert(
      fc.property(
        rows,
        options,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (logits, options, u) => {
          const expected = slowWarp(logits, options);
          let cumulative = 0;
          const isClose = expected.probabilities.some((p) => Math.abs((cumulative += p) - u) < 1e-6);
          fc.pre(expected.closestToCut > 1e-6 && !isClose);
          expect(draw(logits, options, u)).toBe(slowDraw(expected, u));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("reads a row from its offset", () => {
    const logits = Float32Array.from([9, 9, 9, 0, 1, 5, 2, 9]);
    const greedy = { temperature: 0, topK: 0, topP: 1 };
    expect(sampler.sampleRow(logits, 3, 4, greedy, 0.5)).toBe(2);
    expect(sampler.sampleRow(logits, 3, 4, { temperature: 1, topK: 1, topP: 1 }, 0.99)).toBe(2);
    expect(sampler.drawUnwarped(logits, 3, 4, 0)).toBe(0);
  });

  it("is greedy at temperature 0 and takes the smallest of equal ids", () => {
    expect(draw([1, 7, 3, 7], { temperature: 0, topK: 50, topP: 0.5 }, 0.9)).toBe(1);
    expect(draw([1, 7, 3, 7], { temperature: 1e-40, topK: 0, topP: 1 }, 0.9)).toBe(1);
  });

  it("keeps all ties of the k-th largest", () => {
    expect(warp([1, 3, 3, 2, 3, 0], { temperature: 1, topK: 2, topP: 1 }).ids).toEqual([1, 2, 4]);
  });

  it("keeps logits that differ but are equal once scaled in float32", () => {
    const base = 2 - 2 ** -23;
    const near = 2 - 2 ** -22;
    const divisor = [1.9, 1.7, 1.3, 0.9].find(
      (t) => Math.fround(base / Math.fround(t)) === Math.fround(near / Math.fround(t)),
    );
    expect(divisor).toBeDefined();
    const logits = [base, near, 1, ...Array.from({ length: 300 }, () => -4)];
    expect(warp(logits, { temperature: divisor as number, topK: 1, topP: 1 }).ids).toEqual([0, 1]);
  });

  it("always keeps the largest in top-p, of equal ones that with the largest id", () => {
    expect(warp([0, 5, 5, 1], { temperature: 1, topK: 0, topP: 1e-9 }).ids).toEqual([2]);
    expect(
      warp(
        Array.from({ length: 200 }, () => 1),
        { temperature: 1, topK: 0, topP: 1e-9 },
      ).ids,
    ).toEqual([199]);
  });

  it("softens top-p over the row that top-k has already cut", () => {
    // Over all five, id 1 would be within the nucleus of 0.6; over the two largest, id 0 alone passes it.
    const logits = [2, 1, 0.9, 0.9, 0.9];
    expect(warp(logits, { temperature: 1, topK: 2, topP: 0.6 }).ids).toEqual([0]);
    expect(warp(logits, { temperature: 1, topK: 0, topP: 0.6 }).ids).toEqual([0, 1, 4]);
  });

  it("drops what is less than min-p times as probable as the likeliest", () => {
    const logits = [0, Math.log(2), Math.log(10), Math.log(0.9)];
    expect(warp(logits, { temperature: 1, topK: 0, topP: 1, minP: 0.15 }).ids).toEqual([1, 2]);
    expect(warp(logits, { temperature: 1, topK: 0, topP: 1, minP: 0.95 }).ids).toEqual([2]);
    // A higher temperature brings them closer together: √10 ≈ 3.2.
    expect(warp(logits, { temperature: 2, topK: 0, topP: 1, minP: 0.31 }).ids).toEqual([0, 1, 2]);
  });

  it("takes min-p of what top-k and top-p have left, which are cut without it", () => {
    // Without top-p's cut nothing would change for min-p; with min-p first, top-p would keep id 0 alone.
    const logits = [2, 1.9, 1, 0.9, 0.9];
    const topP = { temperature: 1, topK: 0, topP: 0.5 };
    expect(warp(logits, topP).ids).toEqual([0, 1]);
    expect(warp(logits, { ...topP, minP: 0.8 }).ids).toEqual([0, 1]);
    expect(warp(logits, { ...topP, minP: 0.95 }).ids).toEqual([0]);
    expect(warp([1, 3, 3, 2, 3, 0], { temperature: 1, topK: 2, topP: 1, minP: 0.999 }).ids).toEqual([1, 2, 4]);
  });

  it("changes no draw while min-p is off", () => {
    fc.assert(
      fc.property(rows, options, fc.double({ min: 0, max: 0.999, noNaN: true }), (logits, options, u) => {
        const off = { ...options, minP: undefined };
        expect(draw(logits, { ...off, minP: 0 }, u)).toBe(draw(logits, off, u));
      }),
      { numRuns: 200 },
    );
  });

  it("refuses a row that is longer than it was made for", () => {
    expect(() => new Sampler(3).drawUnwarped(new Float32Array(4), 0, 4, 0.5)).toThrow(
      expect.objectContaining({ code: "INTERNAL" }),
    );
  });

  it.each([[Number.NaN], [Number.POSITIVE_INFINITY]])("refuses a row with %s at any place", (bad) => {
    for (const place of [0, 3, 700, LENGTH - 1]) {
      const logits = Array.from({ length: LENGTH }, (_, id) => Math.sin(id) * 5);
      logits[place] = bad;
      for (const temperature of [0, 1]) {
        for (const topK of [0, 50]) {
          for (const topP of [1, 0.95]) {
            expect(() => draw(logits, { temperature, topK, topP }, 0.5)).toThrow(
              expect.objectContaining({ code: "GENERATION_FAILED" }),
            );
          }
        }
      }
    }
  });
});
