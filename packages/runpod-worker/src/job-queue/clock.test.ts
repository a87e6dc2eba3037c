import { describe, expect, it } from "vitest";
import { AdjustableClock } from "./clock.ts";

const DAY_MS = 86_400_000;

describe("AdjustableClock", () => {
  it("fires what has come due, in order, before advance returns, also timers set meanwhile", () => {
    const clock = new AdjustableClock();
    const fired: string[] = [];
    clock.after(2 * DAY_MS, () => fired.push("two days"));
    clock.after(DAY_MS, () => {
      fired.push("one day");
      clock.after(0, () => fired.push("at once"));
    });
    clock.after(30 * DAY_MS, () => fired.push("a month"));
    clock.advance(2 * DAY_MS);
    expect(fired).toEqual(["one day", "two days", "at once"]);
  });

  it("runs as fast as it is told, and stands still at 0", async () => {
    const startedMs = performance.now();
    const clock = new AdjustableClock(1000);
    const imaginedStartMs = clock.now();
    await new Promise<void>((resolve) => void clock.after(60_000, resolve));
    const imaginedMs = clock.now() - imaginedStartMs;
    const realMs = performance.now() - startedMs;
    expect(imaginedMs).toBeGreaterThanOrEqual(60_000);
    expect(imaginedMs).toBeLessThanOrEqual(realMs * 1000);
    clock.setScale(0);
    let isFired = false;
    clock.after(1, () => {
      isFired = true;
    });
    const frozenAt = clock.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isFired).toBe(false);
    expect(clock.now()).toBe(frozenAt);
    clock.setScale(1);
    await expect.poll(() => isFired).toBe(true);
  });

  it("forgets a cancelled timer", () => {
    const clock = new AdjustableClock();
    clock.after(10, () => expect.unreachable()).cancel();
    clock.advance(100);
  });

  it("refuses to run backwards", () => {
    expect(() => new AdjustableClock(-1)).toThrow("speed of the clock");
    expect(() => new AdjustableClock().advance(-1)).toThrow("time runs forward");
  });
});
