import { describe, expect, it } from "vitest";
import { RestartBudget } from "./restart-budget.ts";

const RULES = { maxCrashes: 4, windowMs: 10_000, firstDelayMs: 100, maxDelayMs: 500 };

describe("RestartBudget", () => {
  it("waits twice as long after each end, up to the longest wait, and then gives up", () => {
    const budget = new RestartBudget(RULES);
    expect([0, 1, 2, 3, 4, 5].map((nowMs) => budget.next(nowMs))).toEqual([100, 200, 400, 500, null, null]);
  });

  it("forgets ends that are long ago", () => {
    const budget = new RestartBudget(RULES);
    expect([0, 4_000, 9_999, 10_000, 14_000].map((nowMs) => budget.next(nowMs))).toEqual([100, 200, 400, 400, 400]);
    expect(budget.next(100_000)).toBe(100);
  });
});
