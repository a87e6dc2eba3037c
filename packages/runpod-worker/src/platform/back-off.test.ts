import { describe, expect, it } from "vitest";
import { BackOff } from "./back-off.ts";
import { retryAfterMs } from "./retry-after.ts";

describe("BackOff", () => {
  it("doubles up to the limit and starts again after a success", () => {
    const backOff = new BackOff({ firstMs: 1000, maxMs: 30_000, random: () => 0 });
    expect(Array.from({ length: 7 }, () => backOff.next())).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    backOff.reset();
    expect(backOff.next()).toBe(1000);
  });

  it("takes at most a quarter off at random", () => {
    expect(new BackOff({ firstMs: 1000, maxMs: 1000, random: () => 0.999 }).next()).toBeCloseTo(750.25);
  });

  it("does not overflow after very many failures", () => {
    const backOff = new BackOff({ firstMs: 1000, maxMs: 30_000, random: () => 0 });
    for (let n = 0; n < 5000; n += 1) backOff.next();
    expect(backOff.next()).toBe(30_000);
  });

  it("names the 1st, 2nd, 4th, 8th … failure worth a line", () => {
    const backOff = new BackOff({ firstMs: 1, maxMs: 1 });
    const worth = Array.from({ length: 20 }, () => (backOff.next(), backOff.isWorthLogging ? backOff.failures : 0));
    expect(worth.filter((failures) => failures > 0)).toEqual([1, 2, 4, 8, 16]);
  });
});

describe("retryAfterMs", () => {
  const nowMs = Date.parse("2026-11-01T12:00:00Z");

  it.each([
    [undefined, undefined],
    ["0", 0],
    ["7", 7000],
    ["3600", 60_000],
    ["Sun, 01 Nov 2026 12:00:05 GMT", 5000],
    ["Sun, 01 Nov 2026 11:00:00 GMT", 0],
    ["soon", undefined],
  ])("%s waits %s ms", (header, waitMs) => {
    expect(retryAfterMs(header, nowMs)).toBe(waitMs);
  });
});
