import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fakeModel } from "../testing/fake-model.ts";
import { silentLogger } from "../logging/logger.ts";
import { ModelKeeper } from "./model-keeper.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A keeper, and its models in the order in which they were loaded, with whether each has ended. */
function keep(idleUnloadMs: number | null) {
  const models: { slots: number; hasEnded: boolean }[] = [];
  const keeper = new ModelKeeper({
    start: async () => {
      const facts = { slots: 3 + models.length, hasEnded: false };
      models.push(facts);
      const end = async () => void (facts.hasEnded = true);
      return { ...fakeModel(), slots: facts.slots, [Symbol.asyncDispose]: end };
    },
    faultLimit: 3,
    idleUnloadMs,
    logger: silentLogger,
    hurry: new AbortController().signal,
  });
  return { keeper, models };
}

it("lets the model go after idle time, loads it for the next job, and remembers its slots", async () => {
  const { keeper, models } = keep(1000);
  expect(keeper.slots).toBe(1);
  await keeper.load();
  expect(keeper).toMatchObject({ slots: 3, isResting: false });
  await vi.advanceTimersByTimeAsync(999);
  expect(models).toEqual([{ slots: 3, hasEnded: false }]);
  await vi.advanceTimersByTimeAsync(1);
  expect(models).toEqual([{ slots: 3, hasEnded: true }]);
  expect(keeper).toMatchObject({ loaded: null, loadFailure: null, slots: 3, isResting: true });
  keeper.begin();
  const loading = keeper.load();
  expect(keeper.isResting).toBe(false);
  await loading;
  expect(keeper).toMatchObject({ slots: 4, isResting: false });
  expect(models).toHaveLength(2);
});

it("keeps the model while there are jobs, and counts the time from the end of the last one", async () => {
  const { keeper, models } = keep(1000);
  await keeper.load();
  keeper.begin();
  keeper.begin();
  await vi.advanceTimersByTimeAsync(5000);
  keeper.end();
  await vi.advanceTimersByTimeAsync(5000);
  keeper.end();
  await vi.advanceTimersByTimeAsync(999);
  keeper.begin();
  await vi.advanceTimersByTimeAsync(5000);
  keeper.end();
  await vi.advanceTimersByTimeAsync(999);
  expect(models).toEqual([{ slots: 3, hasEnded: false }]);
  await vi.advanceTimersByTimeAsync(1);
  expect(models).toEqual([{ slots: 3, hasEnded: true }]);
});

it("keeps the model for good unless it is told otherwise", async () => {
  const { keeper, models } = keep(null);
  await keeper.load();
  keeper.begin();
  keeper.end();
  await vi.advanceTimersByTimeAsync(1e8);
  expect(models).toEqual([{ slots: 3, hasEnded: false }]);
});

it("ends while the model is unloaded", async () => {
  const { keeper, models } = keep(1000);
  await keeper.load();
  await vi.advanceTimersByTimeAsync(1000);
  await keeper[Symbol.asyncDispose]();
  expect(models).toEqual([{ slots: 3, hasEnded: true }]);
});
