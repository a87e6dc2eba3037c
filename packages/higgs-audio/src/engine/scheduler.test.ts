import * as fc from "fast-check";
import { GgmlError } from "@higgs-worker/ggml";
import { describe, expect, it, vi } from "vitest";
import { loadSmallModel, makePrompt, SMALL_SHAPES } from "../model/testing/small-models.ts";
import { planStep, type RunningSequence } from "./plan-step.ts";
import { ChunkRandom } from "./rng.ts";
import { Scheduler, type SchedulerOptions } from "./scheduler.ts";
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
  const sequences = fc
    .array(
      fc.record({
        phase: fc.constantFrom("prefill" as const, "decode" as const),
        order: fc.nat(),
        rowsLeft: fc.integer({ min: 1, max: 9 }),
      }),
      { maxLength: 8 },
    )
    .map((list) => list.map((sequence, slot): RunningSequence => ({ ...sequence, slot })));

  it("lets every speaking sequence make a column, and the oldest prompt go on", () => {
    fc.assert(
      fc.property(sequences, fc.nat({ max: 8 }), (running, free) => {
        const plan = planStep(running, running.length + free);
        const speaking = running.filter(({ phase }) => phase === "decode").map(({ slot }) => slot);
        expect(new Set(plan.decodeSlots)).toEqual(new Set(speaking));
        expect(plan.decodeSlots).toHaveLength(speaking.length);
        const prompts = running.filter(({ phase }) => phase === "prefill");
        const oldest = Math.min(...prompts.map(({ order }) => order));
        expect(prompts.find(({ slot }) => slot === plan.prefillSlots[0])?.order).toBe(
          prompts.length === 0 ? undefined : oldest,
        );
      }),
    );
  });

  it("gives a second piece to the shortest prompt below the oldest, while fewer than half of the slots speak", () => {
    fc.assert(
      fc.property(sequences, fc.nat({ max: 8 }), (running, free) => {
        const slots = running.length + free;
        const { prefillSlots, decodeSlots } = planStep(running, slots);
        const of = (slot: number | undefined) => running.find((sequence) => sequence.slot === slot);
        const [first, second] = prefillSlots.map(of);
        const below = running.filter(({ phase, rowsLeft }) => phase === "prefill" && rowsLeft < (first?.rowsLeft ?? 0));
        const isRoom = decodeSlots.length * 2 < slots;
        expect(second?.rowsLeft).toBe(
          isRoom && below.length > 0 ? Math.min(...below.map(({ rowsLeft }) => rowsLeft)) : undefined,
        );
        expect(new Set(prefillSlots).size).toBe(prefillSlots.length);
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

  it("makes a column of those who speak after every piece of a long prompt", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 2, contextLength: 1200 });
    const rounds: string[] = [];
    const prefillPiece = model.prefillPiece.bind(model);
    vi.spyOn(model, "prefillPiece").mockImplementation(async (slot, piece) => {
      rounds.push("piece");
      await prefillPiece(slot, piece);
    });
    const scheduler = new Scheduler(model);
    const long: Promise<unknown>[] = [];
    await scheduler.generate(requestOf(1, "T5", 60), {
      onFrames: ({ end }) => {
        rounds.push("frame");
        if (end === 3) long.push(scheduler.generate(requestOf(2, "T1000", 12)));
      },
    });
    await Promise.all(long);
    const [, ...gaps] = rounds.join(" ").split("frame");
    expect(rounds.filter((what) => what === "piece").length).toBeGreaterThanOrEqual(8);
    // The last gap lies behind the last frame.
    for (const gap of gaps.slice(0, -1)) expect(gap.split("piece").length - 1).toBeLessThanOrEqual(1);
  });

  it("does not let a short prompt wait for a long one while few speak", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 4, contextLength: 1200 });
    const scheduler = new Scheduler(model);
    const pieces = vi.spyOn(model, "prefillPiece");
    await Promise.all([scheduler.generate(requestOf(1, "T1000")), scheduler.generate(requestOf(2, "T200"))]);
    expect(pieces.mock.calls.map(([slot]) => slot)).toEqual([0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
  });
});

describe("Scheduler without enough memory", () => {
  const noRoom = () => new GgmlError("allocation-failed", "compute a graph", "too little memory");

  /** What each request makes alone. */
  async function alone(): Promise<unknown[]> {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 1, contextLength: 256 });
    const codes = [];
    for (const request of REQUESTS) codes.push((await new Scheduler(model).generate(request)).codes);
    return codes;
  }

  it("gives up half of the slots in a step, and everybody goes on with the same codes", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 4, contextLength: 256 });
    const onFewerSlots = vi.fn<NonNullable<SchedulerOptions["onFewerSlots"]>>();
    const scheduler = new Scheduler(model, { onFewerSlots });
    const decodeGraph = model.decodeGraph.bind(model);
    let steps = 0;
    vi.spyOn(model, "decodeGraph").mockImplementation((length, slotCount) => {
      if (++steps === 9) throw noRoom();
      return decodeGraph(length, slotCount);
    });
    const together = await Promise.all(REQUESTS.map((request) => scheduler.generate(request)));
    expect(together.map(({ codes }) => codes)).toEqual(await alone());
    expect(model.slots).toBe(2);
    expect(onFewerSlots).toHaveBeenCalledExactlyOnceWith(2, expect.any(GgmlError));
    expect(scheduler.load).toEqual({ running: 0, waiting: 0 });
  });

  it("does so in a piece of a prompt too", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 3, contextLength: 256 });
    const prefillPiece = model.prefillPiece.bind(model);
    let count = 0;
    vi.spyOn(model, "prefillPiece").mockImplementation(async (slot, piece) => {
      if (++count === 4) throw noRoom();
      await prefillPiece(slot, piece);
    });
    const scheduler = new Scheduler(model);
    const together = await Promise.all(REQUESTS.map((request) => scheduler.generate(request)));
    expect(together.map(({ codes }) => codes)).toEqual(await alone());
    expect(model.slots).toBe(1);
  });

  it("fails when that does not help, and with one slot", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 2, contextLength: 256 });
    const pieces = vi.spyOn(model, "prefillPiece").mockRejectedValue(noRoom());
    const scheduler = new Scheduler(model);
    await expect(scheduler.generate(requestOf(1))).rejects.toMatchObject({ kind: "allocation-failed" });
    expect(model.slots).toBe(1);
    await expect(scheduler.generate(requestOf(1))).rejects.toMatchObject({ kind: "allocation-failed" });
    pieces.mockRestore();
    await expect(scheduler.generate(requestOf(3))).resolves.toBeDefined();
  });

  it("fails all when there is no memory for fewer slots either, or for what they hold", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 2, contextLength: 256 });
    vi.spyOn(model, "prefillPiece").mockRejectedValueOnce(noRoom());
    vi.spyOn(model, "resize").mockImplementation(() => {
      throw noRoom();
    });
    const scheduler = new Scheduler(model);
    const results = await Promise.allSettled([scheduler.generate(requestOf(1)), scheduler.generate(requestOf(2))]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(scheduler.load).toEqual({ running: 0, waiting: 0 });
  });

  it("ends a sequence that is cancelled while it has lost its slot", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, slots: 2, contextLength: 256 });
    const stop = new AbortController();
    const decodeGraph = model.decodeGraph.bind(model);
    let steps = 0;
    vi.spyOn(model, "decodeGraph").mockImplementation((length, slotCount) => {
      if (++steps === 5) throw noRoom();
      return decodeGraph(length, slotCount);
    });
    const scheduler = new Scheduler(model, { onFewerSlots: () => stop.abort() });
    const kept = scheduler.generate(requestOf(1, "T5", 40));
    const lost = scheduler.generate(requestOf(2, "T5", 40), { signal: stop.signal });
    const [first, second] = await Promise.allSettled([kept, lost]);
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({ status: "rejected", reason: { code: "CANCELLED" } });
  });
});
