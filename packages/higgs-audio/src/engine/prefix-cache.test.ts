import { describe, expect, it, vi } from "vitest";
import { loadSmallModel, makePrompt, SMALL_SHAPES } from "../model/testing/small-models.ts";
import { PrefixCache } from "./prefix-cache.ts";
import { ChunkRandom } from "./rng.ts";
import { Scheduler } from "./scheduler.ts";
import type { SequenceRequest } from "./sequence.ts";

const CONFIG = SMALL_SHAPES["rows of 32"];
const SAMPLED = { temperature: 1, topK: 10, topP: 0.95, rasWinLen: 7, rasWinMaxNumRepeat: 2 };

function requestOf(runs: string, prefixRows: number, seed = 1): SequenceRequest {
  const prompt = makePrompt(CONFIG, runs);
  const uniforms = new ChunkRandom(seed, 0);
  return { sampling: SAMPLED, maxColumns: 20, prompt, columnsBefore: new Int32Array(0), uniforms, prefixRows };
}

describe("PrefixCache", () => {
  it("knows a prefix by its rows, not by what follows", () => {
    const cache = new PrefixCache(1000);
    const open = (runs: string, rows: number) => cache.open(makePrompt(CONFIG, runs), rows);
    open("T5 A4 T2", 9)?.keep(() => new Uint8Array(10));
    expect(open("T5 A4 T2", 9)?.find()?.byteLength).toBe(10);
    expect(open("T5 A4 T2", 8)?.find()).toBeNull();
    const other = makePrompt(CONFIG, "T5 A4 T2");
    other.columnIds[3] = ((other.columnIds[3] ?? 0) + 1) % 32;
    expect(cache.open(other, 9)?.find()).toBeNull();
    other.columnIds[3] = makePrompt(CONFIG, "T5 A4 T2").columnIds[3] ?? 0;
    other.textIds[6] = (other.textIds[6] ?? 0) + 1;
    expect(cache.open(other, 9)?.find()?.byteLength, "the text behind the prefix does not count").toBe(10);
    expect(open("T5", 0)).toBeNull();
    expect(open("T5", 5)).toBeNull();
  });

  it("drops the least recently used, and never holds more than its budget", () => {
    const cache = new PrefixCache(100);
    const entry = (rows: number) => cache.open(makePrompt(CONFIG, "T20"), rows);
    for (const rows of [1, 2]) entry(rows)?.keep(() => new Uint8Array(40));
    expect(entry(1)?.find()).not.toBeNull();
    entry(3)?.keep(() => new Uint8Array(40));
    expect(cache.byteLength).toBe(80);
    expect(entry(2)?.find()).toBeNull();
    expect(entry(1)?.find()).not.toBeNull();
    entry(4)?.keep(() => new Uint8Array(101));
    expect(entry(4)?.find()).toBeNull();
    expect(cache.byteLength).toBeLessThanOrEqual(100);
  });
});

describe("Scheduler with prefixes", () => {
  it("computes a prefix once, in any slot, and makes the same codes", async () => {
    const plain = await loadSmallModel({ config: CONFIG, slots: 2, contextLength: 256 });
    const { model } = await loadSmallModel({ config: CONFIG, slots: 2, contextLength: 256 });
    const uncached = new Scheduler(plain.model, { prefixCacheBytes: 0 });
    const scheduler = new Scheduler(model);
    const pieces = vi.spyOn(model, "prefillPiece");
    const rowsComputed = () => pieces.mock.calls.reduce((sum, [, piece]) => sum + piece.isAudio.length, 0);
    const first = requestOf("T30 A40 T9", 70);
    const others = [requestOf("T30 A40 T9", 70, 2), requestOf("T30 A40 T9", 70, 3)];
    const requests = [first, ...others];
    const expected = await Promise.all(requests.map((request) => uncached.generate(request)));
    const actual = [await scheduler.generate(first)];
    expect(rowsComputed()).toBe(79);
    actual.push(...(await Promise.all(others.map((request) => scheduler.generate(request)))));
    expect(rowsComputed()).toBe(79 + 2 * 9);
    expect(scheduler.prefixHits).toEqual({ hits: 2, misses: 1 });
    expect(actual.map(({ codes }) => codes)).toEqual(expected.map(({ codes }) => codes));
  });
});
