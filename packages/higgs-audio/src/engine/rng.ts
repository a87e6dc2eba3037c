/**
 * Random numbers by counter, not by state: the number for a place in a sequence depends on the seed and on that place
 * only. So a seed gives the same codes alone, in any slot of a batch, and after another sequence was cancelled.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011) with
 *
 *   key     = [seed mod 2^32, floor(seed / 2^32)]
 *   counter = [column, codebook, chunk index, purpose + 2 · variant]   purpose: 0 draw, 1 redraw
 *   number  = (floor(word0 / 2^5) * 2^26 + floor(word1 / 2^6)) / 2^53
 *
 * `column` counts the columns generated for this chunk's prompt, 0 being the all-BOS column (never drawn). `variant` tells apart
 * the attempts at one chunk, 0 being the first. Expected values for that one, also checked by the tests:
 *
 * | seed             | chunk | column | codebook | purpose | number               |
 * |------------------|-------|--------|----------|---------|----------------------|
 * | 0                | 0     | 1      | 0        | draw    | 0.9722412032044762   |
 * | 123              | 0     | 1      | 0        | draw    | 0.639649648139325    |
 * | 123              | 0     | 1      | 7        | redraw  | 0.9278263896581149   |
 * | 123              | 2     | 2047   | 3        | draw    | 0.08763804353200111  |
 * | 9007199254740991 | 1     | 40     | 5        | draw    | 0.42569467646074366  |
 */
import { HiggsError } from "@higgs-worker/base";

/** `draw`: the candidate of a codebook. `redraw`: its replacement by RAS. */
export type DrawPurpose = "draw" | "redraw";

/** Where sampling gets its numbers from. Asking twice for the same place gives the same number. */
export interface UniformSource {
  /** A number in [0, 1). */
  uniform(column: number, codebook: number, purpose: DrawPurpose): number;
}

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;
const TWO_32 = 2 ** 32;

/** Variants of the numbers of a chunk. */
const MAX_VARIANT = 2 ** 31 - 1;

/** The numbers of one chunk under one seed. */
export class ChunkRandom implements UniformSource {
  readonly #variantWord: number;
  readonly #key = new Uint32Array(2);
  readonly #counter = new Uint32Array(4);
  readonly #words = new Uint32Array(4);

  /**
   * @param seed 0 … 2^53 − 1
   * @param chunkIndex 0 … 2^32 − 1
   * @param variant 0 … 2^31 − 1; other numbers for the same chunk under the same seed
   * @throws {HiggsError} INVALID_INPUT when one is not an integer in its range
   */
  constructor(seed: number, chunkIndex: number, variant = 0) {
    requireInteger("seed", seed, Number.MAX_SAFE_INTEGER);
    requireInteger("chunk index", chunkIndex, TWO_32 - 1);
    requireInteger("variant", variant, MAX_VARIANT);
    this.#variantWord = 2 * variant;
    this.#key[0] = seed % TWO_32;
    this.#key[1] = Math.floor(seed / TWO_32);
    this.#counter[2] = chunkIndex;
  }

  uniform(column: number, codebook: number, purpose: DrawPurpose): number {
    const counter = this.#counter;
    counter[0] = column;
    counter[1] = codebook;
    counter[3] = this.#variantWord + (purpose === "draw" ? 0 : 1);
    philox4x32(counter, this.#key, this.#words);
    const high = (this.#words[0] as number) >>> 5;
    const low = (this.#words[1] as number) >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }
}

/**
 * The block function Philox4x32-10; writes four 32-bit words to `out` and allocates nothing.
 *
 * @param counter four 32-bit words
 * @param key two 32-bit words
 */
export function philox4x32(counter: Uint32Array, key: Uint32Array, out: Uint32Array): void {
  let [c0, c1, c2, c3] = [counter[0] as number, counter[1] as number, counter[2] as number, counter[3] as number];
  let [k0, k1] = [key[0] as number, key[1] as number];
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** The upper 32 bits of a 32 × 32 bit product, by 16-bit halves: every partial sum is exact in a double. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + aLow * bHigh + ((aLow * bLow) >>> 16);
  return aHigh * bHigh + Math.floor(middle / 0x10000);
}

function requireInteger(name: string, value: number, limit: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= limit) return;
  throw new HiggsError(
    "INVALID_INPUT",
    "make random numbers",
    `the ${name} must be an integer (got ${value}, limit 0 … ${limit})`,
  );
}
