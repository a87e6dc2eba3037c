import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DecodeWindow, emittedPart, firstNeededFrame, planWindow } from "./codec-stream.ts";

const CONTEXT = { left: 10, right: 11 };

describe("planWindow()", () => {
  it("waits for a full window, and emits it less the context on the right", () => {
    const progress = { emitted: 0, isEnded: false };
    expect(planWindow({ ...progress, received: 23 }, CONTEXT, 24)).toBeNull();
    const window = planWindow({ ...progress, received: 24 }, CONTEXT, 24);
    expect(window).toEqual({ start: 0, end: 24, emitFrom: 0, emitTo: 13 });
  });

  it("begins later windows with the context on the left", () => {
    const window = planWindow({ received: 100, emitted: 40, isEnded: false }, CONTEXT, 32);
    expect(window).toEqual({ start: 30, end: 62, emitFrom: 40, emitTo: 51 });
  });

  it("takes short audio whole", () => {
    const window = planWindow({ received: 3, emitted: 0, isEnded: true }, CONTEXT, 160);
    expect(window).toEqual({ start: 0, end: 3, emitFrom: 0, emitTo: 3 });
  });

  it("rounds the last window up with frames before it", () => {
    const window = planWindow({ received: 100, emitted: 99, isEnded: true }, CONTEXT, 32);
    expect(window).toEqual({ start: 84, end: 100, emitFrom: 99, emitTo: 100 });
  });

  it("refuses windows that the context fills", () => {
    expect(() => planWindow({ received: 50, emitted: 0, isEnded: false }, CONTEXT, 21)).toThrow(RangeError);
  });

  it("emits every frame once, with its context or a true end on each side, for any order of arrival", () => {
    const pushes = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 20 });
    const sizes = fc.integer({ min: 22, max: 90 });
    fc.assert(
      fc.property(pushes, sizes, (frames, windowFrames) => {
        let received = 0;
        let emitted = 0;
        const drain = (isEnded: boolean): void => {
          const kept = firstNeededFrame(emitted, CONTEXT);
          for (;;) {
            const window = planWindow({ received, emitted, isEnded }, CONTEXT, windowFrames);
            if (window === null) return;
            expect(window.end - window.start).toBeLessThanOrEqual(windowFrames);
            expect(window.start).toBeGreaterThanOrEqual(kept);
            expect(window.end).toBeLessThanOrEqual(received);
            expect(window.emitFrom).toBe(emitted);
            expect(window.emitTo).toBeGreaterThan(window.emitFrom);
            expect(window.start === 0 || window.emitFrom - window.start >= CONTEXT.left).toBe(true);
            const isTrueEnd = isEnded && window.end === received;
            expect(isTrueEnd || window.end - window.emitTo >= CONTEXT.right).toBe(true);
            emitted = window.emitTo;
          }
        };
        for (const count of frames) {
          received += count;
          drain(false);
        }
        drain(true);
        expect(emitted).toBe(received);
      }),
    );
  });
});

it("with awaitsNextFrame the windows are those of a whole decode, for any order of arrival", () => {
  const windowFrames = 32;
  const windowsOf = (...steps: readonly { readonly received: number; readonly isEnded: boolean }[]) => {
    const windows: DecodeWindow[] = [];
    for (const step of steps) {
      const plan = () =>
        planWindow({ ...step, emitted: windows.at(-1)?.emitTo ?? 0, awaitsNextFrame: true }, CONTEXT, windowFrames);
      for (let window = plan(); window !== null; window = plan()) windows.push(window);
    }
    return windows;
  };
  const pushes = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 20 });
  fc.assert(
    fc.property(pushes, (frames) => {
      const total = frames.reduce((sum, count) => sum + count, 0);
      const whole = { received: total, isEnded: true };
      let received = 0;
      const arrivals = frames.map((count) => ({ received: (received += count), isEnded: false }));
      expect(windowsOf(...arrivals, whole)).toEqual(windowsOf(whole));
    }),
    // The audio ends exactly with a window.
    { examples: [[[windowFrames]], [[20, 12]], [[windowFrames + 11]]] },
  );
});

describe("emittedPart()", () => {
  it("cuts the context off", () => {
    const pcm = Float32Array.from({ length: 12 }, (_, i) => i);
    const part = emittedPart(pcm, { start: 4, end: 10, emitFrom: 5, emitTo: 7 }, 2);
    expect([...part]).toEqual([2, 3, 4, 5]);
  });
});
