import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { loadSmallModel, makePrompt, SMALL_SHAPES } from "../model/testing/small-models.ts";
import { planStep, type RunningSequence } from "./plan-step.ts";
import { ChunkRandom } from "./rng.ts";
import { Scheduler } from "./scheduler.ts";
import type { SequenceRequest } from "./sequence.ts";

const CONFIG = SMALL_SHAPES["rows of 32"];
const SAMPLED = { temperature: 1, topK: 10, topP: 0.95, rasWinLen: 7, rasWinMaxNumRepeat: 2 };

function requestOf(seed: number, runs = "T6 A3 T2", maxColumns = 30): SequenceRequest {
  const prompt = makePrompt(CONFIG, runs);
  const columnsBefore = new Int32Array(0);
  return { sampling: SAMPLED, maxColumns, prompt, columnsBefore, uniforms: new ChunkRandom(seed, 0) };
}

const REQUESTS = Array.from({ length: 7 }, (_, seed) =>
  requestOf(seed, `T${4 + seed * 25} A${1 + seed}`, 12 + seed * 4),
);

describe("planStep()", () => {
  it("lets every speaking sequence make a column, and the oldest prompt go on", () => {
    const sequences = fc.array(
      fc.record({ phase: fc.constantFrom("prefill" as const, "decode" as const), order: fc.nat() }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(sequences, (list) => {
        const running: RunningSequence[] = list.map((sequence, slot) => ({ ...sequence, slot }));
        const plan = planStep(running);
        const speaking = running.filter(({ phase }) => phase === "decode").map(({ slot }) => slot);
        expect(new Set(plan.decodeSlots)).toEqual(new Set(speaking));
        expect(plan.decodeSlots).toHaveLength(speaking.length);
        const prompts = running.filter(({ phase }) => phase === "prefill");
        const oldest = Math.min(...prompts.map(({ order }) => order));
        expect(prompts.find(({ slot }) => slot === plan.prefillSlot)?.order).toBe(
          prompts.length === 0 ? undefined : oldest,
        );
      }),
    );
  });
});

describe("Scheduler", () => {
  it("makes for each request what it makes alone, with more requests than slots", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 3, contextLength: 256 });
    const alone = [];
    for (const request of REQUESTS) alone.push((await new Scheduler(model).generate(request)).codes);
    const scheduler = new Scheduler(model);
    const together = await Promise.all(REQUESTS.map((request) => scheduler.generate(request)));
    expect(together.map(({ codes }) => codes)).toEqual(alone);
    expect(scheduler.load).toEqual({ running: 0, waiting: 0 });
  });

  it("steps sequences together, and lets late ones join", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 2 });
    const steps = vi.spyOn(model, "decodeGraph");
    const scheduler = new Scheduler(model);
    const late: Promise<unknown>[] = [];
    const first = scheduler.generate(requestOf(1, "T5", 40), {
      onFrames: ({ end }) => {
        if (end === 3) late.push(scheduler.generate(requestOf(1, "T5", 40)));
      },
    });
    const { columns } = await first;
    await Promise.all(late);
    // Alone, each takes a step for every column but the first.
    const stepsAlone = columns.length / CONFIG.numCodebooks - 1;
    expect(late).toHaveLength(1);
    expect(steps.mock.calls.length).toBeLessThan(2 * stepsAlone);
  });

  it("ends only the sequence that is cancelled, running or waiting", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 1 });
    const scheduler = new Scheduler(model);
    const running = new AbortController();
    const waiting = new AbortController();
    const cut = scheduler.generate(requestOf(1, "T5", 60), { signal: running.signal, onFrames: () => running.abort() });
    const dropped = scheduler.generate(requestOf(2), { signal: waiting.signal });
    const kept = scheduler.generate(requestOf(3));
    waiting.abort();
    const [first, second] = await Promise.allSettled([cut, dropped]);
    expect(first).toMatchObject({ status: "rejected", reason: { code: "CANCELLED" } });
    expect(second).toMatchObject({ status: "rejected", reason: { code: "CANCELLED" } });
    expect((await kept).codes).toEqual((await new Scheduler(model).generate(requestOf(3))).codes);
  });

  it("computes at most one further frame for a sequence that is cancelled", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 1 });
    const steps = vi.spyOn(model, "decodeGraph");
    const stop = new AbortController();
    let stepsAtStop = 0;
    const cut = new Scheduler(model).generate(requestOf(1, "T5", 60), {
      signal: stop.signal,
      onFrames: ({ end }) => {
        if (end < 5 || stop.signal.aborted) return;
        stepsAtStop = steps.mock.calls.length;
        stop.abort();
      },
    });
    await expect(cut).rejects.toMatchObject({ code: "CANCELLED" });
    expect(stepsAtStop).toBeGreaterThan(5);
    expect(steps.mock.calls.length).toBeLessThanOrEqual(stepsAtStop + 1);
  });

  it("ends only the sequence that cannot start", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 2, contextLength: 64 });
    const scheduler = new Scheduler(model);
    const tooLong = scheduler.generate(requestOf(1, "T64"));
    const fits = scheduler.generate(requestOf(2));
    const [first, second] = await Promise.allSettled([tooLong, fits]);
    expect(first).toMatchObject({ status: "rejected", reason: { code: "CONTEXT_OVERFLOW" } });
    expect(second).toMatchObject({ status: "fulfilled", value: { columnLimit: 30 } });
  });

  it("fails all that were in a step that fails, and goes on with the next", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 2 });
    const scheduler = new Scheduler(model);
    const graph = model.decodeGraph(1);
    vi.spyOn(graph, "compute").mockRejectedValueOnce(new Error("the device is gone"));
    const results = await Promise.allSettled([scheduler.generate(requestOf(1)), scheduler.generate(requestOf(2))]);
    expect(results.some(({ status }) => status === "rejected")).toBe(true);
    await expect(scheduler.generate(requestOf(3))).resolves.toBeDefined();
  });
});
