import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FramePace, LARGEST_WINDOW_FRAMES, type RampState, rampedFrames } from "./window-ramp.ts";

const ALONE: RampState = {
  waitingFrames: 12,
  fewestFrames: 11,
  isFirst: true,
  aheadSeconds: 0,
  secondsPerFrame: 0.04,
  others: 0,
};
const LATER: RampState = { ...ALONE, fewestFrames: 4, isFirst: false };

describe("rampedFrames()", () => {
  it("begins with the smallest window that decides samples", () => {
    expect(rampedFrames({ ...ALONE, waitingFrames: 11 })).toBe(0);
    expect(rampedFrames(ALONE)).toBe(12);
  });

  it("begins with more where others listen, since their windows come before the next one", () => {
    expect(rampedFrames({ ...ALONE, others: 3 })).toBe(0);
    expect(rampedFrames({ ...ALONE, others: 3, waitingFrames: 20 })).toBe(20);
    expect(rampedFrames({ ...ALONE, others: 1000, waitingFrames: 32 })).toBe(32);
  });

  it("lets windows grow with the audio that the listener has ahead", () => {
    const sizes = [0, 0.5, 1, 1.5, 2, 3, 60].map((aheadSeconds) => {
      const due = (waitingFrames: number): boolean => rampedFrames({ ...LATER, aheadSeconds, waitingFrames }) > 0;
      return Array.from({ length: 64 }, (_, frames) => frames).find(due);
    });
    expect(sizes).toEqual([4, 4, 12, 16, 20, 32, 32]);
  });

  it("waits for more at once where frames come quickly", () => {
    const quick = { ...LATER, aheadSeconds: 0.08, secondsPerFrame: 0.0035 };
    expect([4, 7, 8].map((waitingFrames) => rampedFrames({ ...quick, waitingFrames }))).toEqual([0, 0, 8]);
    expect(rampedFrames({ ...quick, aheadSeconds: 0.4, waitingFrames: 31 })).toBe(0);
  });

  it("takes what waits when the decoder is behind", () => {
    expect([3, 4, 9, 30, 500].map((waitingFrames) => rampedFrames({ ...LATER, waitingFrames }))).toEqual([
      0, 4, 8, 20, 32,
    ]);
  });

  it("gives a size that is there, not below the fewest, or 0", () => {
    const state = fc.record({
      waitingFrames: fc.integer({ min: 0, max: 200 }),
      fewestFrames: fc.integer({ min: 1, max: 20 }),
      isFirst: fc.boolean(),
      aheadSeconds: fc.double({ min: 0, max: 100, noNaN: true }),
      secondsPerFrame: fc.double({ min: 0, max: 1, noNaN: true }),
      others: fc.integer({ min: 0, max: 64 }),
    });
    fc.assert(
      fc.property(state, (given) => {
        const frames = rampedFrames(given);
        expect(frames).toBeLessThanOrEqual(Math.min(LARGEST_WINDOW_FRAMES, given.waitingFrames));
        expect(frames === 0 || frames >= given.fewestFrames).toBe(true);
        expect(frames === LARGEST_WINDOW_FRAMES).toBe(given.waitingFrames >= LARGEST_WINDOW_FRAMES);
      }),
    );
  });
});

describe("FramePace", () => {
  it("adds what frames take to come and what the last window took for each of its own", () => {
    let nowMs = 5000;
    const pace = new FramePace(() => nowMs);
    expect(pace.secondsPerFrame).toBe(0);
    pace.add(3);
    nowMs += 40;
    pace.add(1);
    nowMs += 40;
    pace.add(3);
    expect(pace.secondsPerFrame).toBeCloseTo(0.02, 10);
    pace.noteWindow(4, 120);
    pace.noteWindow(8, 80);
    expect(pace.secondsPerFrame).toBeCloseTo(0.03, 10);
  });
});
