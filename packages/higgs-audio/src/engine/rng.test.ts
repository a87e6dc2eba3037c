import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChunkRandom, philox4x32, type DrawPurpose } from "./rng.ts";

function block(counter: number[], key: number[]): number[] {
  const out = new Uint32Array(4);
  philox4x32(Uint32Array.from(counter), Uint32Array.from(key), out);
  return [...out];
}

describe("philox4x32", () => {
  // The known answers of the authors' library (Random123, kat_vectors, philox4x32 with 10 rounds).
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])("gives the published words for counter %j and key %j", (counter, key, words) => {
    expect(block(counter, key)).toEqual(words);
  });
});

describe("ChunkRandom", () => {
  it("gives the numbers of the table in its documentation", () => {
    const source = readFileSync(new URL("rng.ts", import.meta.url), "utf8");
    const rows = source.matchAll(/\| (\d+) +\| (\d+) +\| (\d+) +\| (\d+) +\| (draw|redraw) +\| (0\.\d+) +\|/g);
    const table = [...rows].map((row) => row.slice(1));
    expect(table).toHaveLength(5);
    for (const [seed, chunk, column, codebook, purpose, expected] of table) {
      const random = new ChunkRandom(Number(seed), Number(chunk));
      expect(random.uniform(Number(column), Number(codebook), purpose as DrawPurpose)).toBe(Number(expected));
    }
  });

  it("does not depend on what was asked before", () => {
    const places = fc.array(fc.tuple(fc.nat(4000), fc.nat(7), fc.constantFrom<DrawPurpose>("draw", "redraw")), {
      minLength: 2,
      maxLength: 40,
    });
    fc.assert(
      fc.property(places, fc.maxSafeNat(), (places, seed) => {
        const forwards = new ChunkRandom(seed, 3);
        const first = places.map((place) => forwards.uniform(...place));
        const backwards = new ChunkRandom(seed, 3);
        const second = places.toReversed().map((place) => backwards.uniform(...place));
        expect(second.reverse()).toEqual(first);
      }),
    );
  });

  it("gives another number to every seed, chunk, variant, column, codebook and purpose", () => {
    const numbers = new Set<number>();
    const variants = [0, 1, 32, 2 ** 31 - 1];
    const seeds = [0, 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    for (const seed of seeds) {
      for (const [chunk, variant] of [0, 1].flatMap((index) => variants.map((own) => [index, own] as const))) {
        const random = new ChunkRandom(seed, chunk, variant);
        for (let column = 0; column < 20; column++) {
          for (let codebook = 0; codebook < 8; codebook++) {
            for (const purpose of ["draw", "redraw"] as const) {
              numbers.add(random.uniform(column, codebook, purpose));
            }
          }
        }
      }
    }
    expect(numbers.size).toBe(seeds.length * 2 * variants.length * 20 * 8 * 2);
  });

  it("is uniform in [0, 1)", () => {
    const random = new ChunkRandom(7, 0);
    const bins = Array.from({ length: 64 }, () => 0);
    const count = 64_000;
    let smallest = 1;
    let largest = 0;
    for (let i = 0; i < count; i++) {
      const number = random.uniform(i >> 3, i & 7, "draw");
      smallest = Math.min(smallest, number);
      largest = Math.max(largest, number);
      const bin = Math.floor(number * 64);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    expect(smallest).toBeGreaterThanOrEqual(0);
    expect(largest).toBeLessThan(1);
    // Chi-square with 63 degrees of freedom: 99.99 % are below 117.
    const chiSquare = bins.reduce((sum, bin) => sum + (bin - count / 64) ** 2 / (count / 64), 0);
    expect(chiSquare).toBeLessThan(117);
  });

  it("has the numbers of one attempt as its first variant", () => {
    const [plain, first, second] = [new ChunkRandom(7, 3), new ChunkRandom(7, 3, 0), new ChunkRandom(7, 3, 1)];
    expect(first.uniform(5, 2, "draw")).toBe(plain.uniform(5, 2, "draw"));
    expect(second.uniform(5, 2, "draw")).not.toBe(plain.uniform(5, 2, "draw"));
    expect(() => new ChunkRandom(7, 3, 2 ** 31)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });

  it.each([[-1], [1.5], [2 ** 53], [Number.NaN]])("refuses the seed %s", (seed) => {
    expect(() => new ChunkRandom(seed, 0)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });
});
