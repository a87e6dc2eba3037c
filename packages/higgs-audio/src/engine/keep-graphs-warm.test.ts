import { describe, expect, it, vi } from "vitest";
import { loadSmallModel, makePrompt, SMALL_SHAPES } from "../model/testing/small-models.ts";
import { keepGraphsWarm, type Ticker } from "./keep-graphs-warm.ts";
import { ChunkRandom } from "./rng.ts";
import { Scheduler } from "./scheduler.ts";
import type { SequenceRequest } from "./sequence.ts";

/** No logit stands for the end, so that a sequence of random weights is as long as it may be. */
const CONFIG = { ...SMALL_SHAPES["rows of 32"], audioStreamEosId: SMALL_SHAPES["rows of 32"].idsPerCodebook };
const CUDA = { backendName: "CUDA" };

function requestOf(seed: number, maxColumns = 30): SequenceRequest {
  return {
    sampling: { temperature: 1, topK: 10, topP: 0.95, rasWinLen: 7, rasWinMaxNumRepeat: 2 },
    maxColumns,
    prompt: makePrompt(CONFIG, "T6 A3 T2"),
    columnsBefore: new Int32Array(0),
    uniforms: new ChunkRandom(seed, 0),
  };
}

/** A clock that ticks when the test says so. */
function handTicker() {
  let tick: (() => void) | null = null;
  const state = { intervalMs: 0, isRunning: () => tick !== null, tick: () => tick?.() };
  const ticker: Ticker = (intervalMs, call) => {
    tick = call;
    state.intervalMs = intervalMs;
    return () => {
      tick = null;
    };
  };
  return { ticker, ...state, state };
}

async function start() {
  const { model, backend } = await loadSmallModel({ config: CONFIG, slots: 2, contextLength: 256 });
  const scheduler = new Scheduler(model);
  const clock = handTicker();
  const stop = keepGraphsWarm(CUDA, model, scheduler, clock.ticker);
  /** Computations of the device that a tick leads to. */
  const computedByTick = async (): Promise<number> => {
    const compute = vi.spyOn(backend, "computeAsync");
    clock.tick();
    await scheduler.runBetween(() => Promise.resolve());
    const { length } = compute.mock.calls;
    compute.mockRestore();
    return length;
  };
  return { model, scheduler, clock, stop, computedByTick };
}

describe("keepGraphsWarm()", () => {
  it("computes a graph that was not used between two ticks, well within ten seconds", async () => {
    const { scheduler, clock, stop, computedByTick } = await start();
    expect(clock.state.intervalMs * 2).toBeLessThan(10_000);
    await scheduler.generate(requestOf(1));
    expect(await computedByTick()).toBe(0); // just used
    expect(await computedByTick()).toBe(1);
    expect(await computedByTick()).toBe(1);
    await scheduler.generate(requestOf(1));
    expect(await computedByTick()).toBe(0);
    await stop();
    expect(clock.isRunning()).toBe(false);
  });

  it("leaves out the graphs of several sequences", async () => {
    const { scheduler, stop, computedByTick } = await start();
    await Promise.all([scheduler.generate(requestOf(1)), scheduler.generate(requestOf(2))]);
    const ticks = [await computedByTick(), await computedByTick()];
    // At most the graph for one: sequences of different length leave the last one alone.
    expect(Math.max(...ticks)).toBeLessThanOrEqual(1);
    await stop();
  });

  it("does not change what is spoken, before it and in the midst of it", async () => {
    const { model, scheduler, clock, stop } = await start();
    const alone = (await new Scheduler(model).generate(requestOf(3))).codes;
    let ticks = 0;
    const watched = await scheduler.generate(requestOf(3), {
      onFrames: () => {
        ticks += 1;
        clock.tick();
      },
    });
    expect(ticks).toBeGreaterThan(5);
    expect(watched.codes).toEqual(alone);
    clock.tick();
    clock.tick();
    expect((await scheduler.generate(requestOf(3))).codes).toEqual(alone);
    await stop();
  });

  it("ends when the device fails, without a word of its own", async () => {
    const clock = handTicker();
    const model = { refreshGraphs: () => Promise.reject(new Error("the device is gone")) };
    const rounds = { runBetween: (work: () => Promise<void>) => work() };
    const stop = keepGraphsWarm(CUDA, model, rounds, clock.ticker);
    clock.tick();
    await stop();
    expect(clock.isRunning()).toBe(false);
  });

  it.each(["CPU", "Vulkan", "Metal"])("does nothing on %s", async (backendName) => {
    const ticker = vi.fn<Ticker>();
    const stop = keepGraphsWarm(
      { backendName },
      { refreshGraphs: () => Promise.resolve(0) },
      { runBetween: () => Promise.resolve() },
      ticker,
    );
    await stop();
    expect(ticker).not.toHaveBeenCalled();
  });
});
