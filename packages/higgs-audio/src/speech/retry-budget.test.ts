import { describe, expect, it } from "vitest";
import { RetryBudget } from "./retry-budget.ts";

describe("RetryBudget", () => {
  it("allows so many retries of a chunk, and none without leave", () => {
    const budget = new RetryBudget({ maxRetries: 2, deadlineAtMs: null });
    expect([0, 1, 2, 3].map((retries) => budget.allows(retries, 100))).toEqual([true, true, false, false]);
    expect(new RetryBudget({ maxRetries: 0, deadlineAtMs: null }).allows(0, 1)).toBe(false);
  });

  it("allows one while there is time for all that is left to make, by the pace so far", () => {
    let nowMs = 10_000;
    const budget = new RetryBudget({ maxRetries: 2, deadlineAtMs: 20_000, now: () => nowMs });
    budget.note(100, 1_000);
    // 10 ms a frame and a quarter more: 10 seconds are 800 frames.
    expect(budget.allows(0, 799)).toBe(true);
    expect(budget.allows(0, 801)).toBe(false);
    nowMs = 15_000;
    expect(budget.allows(0, 401)).toBe(false);
    budget.note(900, 1_000);
    expect(budget.allows(0, 401)).toBe(true);
    nowMs = 20_000;
    expect(budget.allows(0, 0)).toBe(false);
  });

  it("allows one before anything is known of the pace, until the deadline", () => {
    const budget = new RetryBudget({ maxRetries: 1, deadlineAtMs: 5, now: () => 4 });
    expect(budget.allows(0, 1_000_000)).toBe(true);
  });
});
