import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { WeightFormat } from "../checkpoint/weight-format.ts";
import { servedKvTypes } from "../model/kv-cache.ts";
import { loadModel, makePrompt, openSmallBackend, SMALL_SHAPES } from "../model/testing/small-models.ts";
import { SeededWeightSource } from "../model/testing/seeded-weight-source.ts";
import type { LanguageModel } from "../model/language-model.ts";
import { ChunkRandom } from "./rng.ts";
import { Scheduler } from "./scheduler.ts";
import type { SequenceRequest } from "./sequence.ts";

const CONFIG = SMALL_SHAPES["rows of 256"];
const SAMPLED = { temperature: 1, topK: 10, topP: 0.95, rasWinLen: 7, rasWinMaxNumRepeat: 2 };
const CPU = { kind: "cpu" };

function requestOf(seed: number, runs: string, maxColumns: number): SequenceRequest {
  const uniforms = new ChunkRandom(seed, 0);
  return {
    sampling: SAMPLED,
    maxColumns,
    prompt: makePrompt(CONFIG, runs, seed),
    columnsBefore: new Int32Array(0),
    uniforms,
  };
}

/** Longer than 512 positions, from where ggml would cut the cache into parts; prompts of all kinds of pieces. */
const LONG = requestOf(1, "T40 A470 T31", 16);
const COMPANY = [
  requestOf(2, "T9", 19),
  requestOf(3, "T130 A5 T2", 12),
  requestOf(4, "T3 A200", 33),
  requestOf(5, "T64", 8),
];

interface Serving {
  readonly weights: WeightFormat | "f32";
  readonly slots: number;
  readonly threads: number;
}

async function load({ weights, slots, threads }: Serving): Promise<LanguageModel> {
  const backend = openSmallBackend();
  backend.setThreads(threads);
  const source = new SeededWeightSource(backend.ggml, CONFIG, {
    seed: 1,
    ...(weights !== "f32" && { format: weights }),
  });
  return await loadModel(backend, source, {
    slots,
    contextLength: 600,
    kvTypes: servedKvTypes(CPU),
    observer: undefined,
  });
}

describe("the same seed makes the same columns", () => {
  describe.each(["f32", "bf16", "q8_0", "q4_k"] as const)("with %s weights", (weights) => {
    it("for any number of threads and slots, alone and beside others that join and leave", async () => {
      const reference = await load({ weights, slots: 1, threads: 1 });
      const alone = new Scheduler(reference);
      const expected: Int32Array[] = [];
      for (const request of [LONG, ...COMPANY]) expected.push((await alone.generate(request)).columns);
      for (const serving of [
        { weights, slots: 1, threads: 2 },
        { weights, slots: 3, threads: 2 },
        { weights, slots: 8, threads: 1 },
      ]) {
        const scheduler = new Scheduler(await load(serving));
        const together = await Promise.all([LONG, ...COMPANY].map((request) => scheduler.generate(request)));
        expect(
          together.map(({ columns }) => columns),
          JSON.stringify(serving),
        ).toEqual(expected);
        expect((await scheduler.generate(LONG)).columns, `then alone, ${JSON.stringify(serving)}`).toEqual(expected[0]);
      }
    });
  });

  it("in a slot that it is moved to when those before it have left", async () => {
    const model = await load({ weights: "q8_0", slots: 4, threads: 1 });
    const moves = vi.spyOn(model, "moveSlot");
    const graphs = vi.spyOn(model, "decodeGraph");
    onTestFinished(() => void vi.restoreAllMocks());
    const [short, long] = [requestOf(2, "T9", 12), requestOf(3, "T20", 40)];
    const expected = (await new Scheduler(model).generate(long)).columns;
    graphs.mockClear();
    const scheduler = new Scheduler(model);
    const [, , , last] = await Promise.all([short, short, short, long].map((request) => scheduler.generate(request)));
    expect(last?.columns).toEqual(expected);
    // Prompts are read one after the other, so the short ones end one by one too.
    expect(moves.mock.calls.map(([from, to]) => [from, to])).toEqual([
      [2, 0],
      [3, 1],
      [1, 0],
    ]);
    const slotCounts = graphs.mock.results.map(({ value }) => (value as { slotCount: number }).slotCount);
    expect(slotCounts[0]).toBe(1);
    expect(Math.max(...slotCounts)).toBe(4);
    expect(slotCounts.at(-1)).toBe(1);
  });
});
