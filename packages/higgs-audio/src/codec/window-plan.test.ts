import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CarriedWindowPlan, type DecodeWindow, OverlappingWindowPlan, type WindowPlan } from "./window-plan.ts";

const CONTEXT = { left: 10, right: 11 };
const overlapping = new OverlappingWindowPlan(CONTEXT);
const carried = new CarriedWindowPlan(CONTEXT);

/** The windows of frames that come in several goes, `next` new ones in each. */
function windowsOf(plan: WindowPlan, arrivals: readonly number[], next: (taken: number) => number): DecodeWindow[] {
  const windows: DecodeWindow[] = [];
  let received = 0;
  let taken = 0;
  let isDone = false;
  const drain = (isEnded: boolean): void => {
    const kept = plan.firstNeededFrame(taken);
    for (;;) {
      const frames = next(taken);
      if (received === 0 || isDone || (!isEnded && received - taken < frames)) return;
      const window = plan.window({ received, taken, isEnded }, frames);
      expect(window.start).toBeGreaterThanOrEqual(kept);
      expect(window.end).toBeLessThanOrEqual(received);
      taken = window.end;
      isDone = isEnded && taken === received && window.end - (windows.at(-1)?.end ?? 0) <= frames;
      windows.push(window);
    }
  };
  for (const count of arrivals) {
    received += count;
    drain(false);
  }
  drain(true);
  return windows;
}

const arrivals = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 20 });

describe("OverlappingWindowPlan", () => {
  it("emits of a window what is not within the context of its right end", () => {
    const window = overlapping.window({ received: 24, taken: 0, isEnded: false }, 24);
    expect(window).toMatchObject({ start: 0, end: 24, emitted: { from: 0, to: 13 } });
  });

  it("begins later windows with the context on the left", () => {
    const window = overlapping.window({ received: 100, taken: 51, isEnded: false }, 11);
    expect(window).toMatchObject({ start: 30, end: 62, emitted: { from: 10, to: 21 } });
  });

  it("takes short audio whole", () => {
    const window = overlapping.window({ received: 3, taken: 0, isEnded: true }, 160);
    expect(window).toMatchObject({ start: 0, end: 3, emitted: { from: 0, to: 3 } });
  });

  it("rounds the last window up with frames before it", () => {
    const window = overlapping.window({ received: 100, taken: 99, isEnded: true }, 11);
    expect(window).toMatchObject({ start: 76, end: 100, emitted: { from: 12, to: 24 } });
  });

  it("refuses windows that the context fills", () => {
    expect(() => overlapping.newFrames(21, 0)).toThrow(RangeError);
    expect(overlapping.newFrames(22, 22)).toBe(1);
  });

  it("emits every frame once, with its context or a true end on each side, for any order of arrival", () => {
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 22, max: 90 }), (counts, size) => {
        const total = counts.reduce((sum, count) => sum + count, 0);
        let emitted = 0;
        for (const window of windowsOf(overlapping, counts, (taken) => overlapping.newFrames(size, taken))) {
          const from = window.start + (window.emitted?.from ?? 0);
          const to = window.start + (window.emitted?.to ?? 0);
          expect(from).toBe(emitted);
          expect(window.start === 0 || from - window.start >= CONTEXT.left).toBe(true);
          expect((window.end === total && to === total) || window.end - to >= CONTEXT.right).toBe(true);
          emitted = to;
        }
        expect(emitted).toBe(total);
      }),
    );
  });
});

describe("CarriedWindowPlan", () => {
  it("takes every frame once, and one window is the first and one the last, for any order of arrival", () => {
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 12, max: 60 }), (counts, size) => {
        const total = counts.reduce((sum, count) => sum + count, 0);
        const windows = windowsOf(carried, counts, () => size);
        expect(windows.map(({ start }) => start)).toEqual(
          [0, ...windows.map(({ end }) => end)].slice(0, windows.length),
        );
        expect(windows.at(-1)?.end ?? 0).toBe(total);
        expect(windows.filter(({ place }) => place.isFirst)).toHaveLength(total === 0 ? 0 : 1);
        expect(windows.filter(({ place }) => place.isLast)).toHaveLength(total === 0 ? 0 : 1);
        expect(windows.at(-1)?.place.isLast ?? true).toBe(true);
      }),
    );
  });

  it("refuses a first window that decides no sample", () => {
    expect(carried.fewestFirstFrames).toBe(12);
    expect(() => carried.newFrames(11, 0)).toThrow(RangeError);
    expect(carried.newFrames(1, 12)).toBe(1);
  });
});
