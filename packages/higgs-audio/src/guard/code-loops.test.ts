import { assert as check, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { CodeLoops } from "./code-loops.ts";
import { GuardWatch } from "./guard-watch.ts";
import { joinCodes, makeCodes, makeRandom } from "./testing/made-speech.ts";
import { resolveGuardThresholds } from "./thresholds.ts";
import type { Codes } from "../prompt/messages.ts";

const thresholds = resolveGuardThresholds();
const facts = { textTokens: 100, expectedFrames: 1000, framesPerSecond: 25 };

function loopsIn(codes: Codes): CodeLoops {
  const loops = new CodeLoops(250);
  loops.push(codes);
  return loops;
}

/** The same codes with this share of those of the higher codebooks drawn anew. */
function withOtherHighCodes(codes: Codes, share: number): Int32Array[] {
  const random = makeRandom(9);
  return codes.map((row, codebook) =>
    row.map((code) => (codebook >= 2 && random() < share ? Math.floor(random() * 1024) : code)),
  );
}

describe("repeated codes", () => {
  it("finds a block of any period that comes again, however the frames come", () => {
    check(
      property(
        integer({ min: 3, max: 100 }),
        integer({ min: 1, max: 5 }),
        integer({ min: 1, max: 30 }),
        (period, extra, step) => {
          const block = makeCodes(period, period);
          const codes = joinCodes(
            makeCodes(20, 1),
            ...Array.from({ length: extra + 1 }, () => block),
            makeCodes(20, 2),
          );
          const loops = new CodeLoops(250);
          const frames = codes[0]?.length ?? 0;
          for (let first = 0; first < frames; first += step) {
            loops.push(codes.map((row) => row.subarray(first, Math.min(frames, first + step))));
          }
          expect(loops.loop).toMatchObject({ start: 20 + period, end: 20 + period * (extra + 1), period });
          expect(loops.loop.frames).toBeCloseTo(period * extra, 0);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("finds it with half of the high codes different", () => {
    const block = makeCodes(10, 4);
    const copies = Array.from({ length: 4 }, () => withOtherHighCodes(block, 0.5));
    const { loop } = loopsIn(joinCodes(makeCodes(10, 1), block, ...copies));
    expect(loop.frames).toBeGreaterThan(15);
    expect(loop.period % 10).toBe(0);
  });

  it("passes codes that do not repeat, a word said again with other codes, and single equal frames", () => {
    const word = makeCodes(8, 4);
    const again = word.map((row, codebook) => (codebook === 0 ? row : (makeCodes(8, 40)[codebook] ?? row)));
    const twins = makeCodes(60, 7).map((row) =>
      row.map((code, frame) => (frame % 10 === 1 ? (row[frame - 1] ?? code) : code)),
    );
    for (const codes of [makeCodes(500), joinCodes(makeCodes(10, 1), word, again, again, makeCodes(10, 2)), twins]) {
      expect(loopsIn(codes).loop.frames).toBeLessThan(25 * thresholds.loopSeconds);
      expect(new GuardWatch(facts, thresholds).push(codes)).toBeNull();
    }
  });

  it("counts a held sound as held, not as a loop", () => {
    const one = makeCodes(1, 3);
    const { loop, held } = loopsIn(
      joinCodes(makeCodes(10, 1), ...Array.from({ length: 40 }, () => one), makeCodes(10, 2)),
    );
    expect(held).toMatchObject({ start: 11, end: 50 });
    expect(held.frames).toBeCloseTo(39, 0);
    expect(loop.frames).toBeLessThan(3);
  });
});

describe("the watch", () => {
  it("ends a loop early and names it, and lets a silence of three seconds pass", () => {
    const block = makeCodes(10, 4);
    const watch = new GuardWatch(facts, thresholds);
    expect(watch.push(joinCodes(makeCodes(30, 1), block))).toBeNull();
    expect(watch.push(block.map((row) => row.subarray(0, 5)))).toBeNull();
    expect(
      watch.push(
        joinCodes(
          block.map((row) => row.subarray(5)),
          block,
        ),
      ),
    ).toMatchObject({ code: "LOOP", isBad: true });
    expect(watch.push(makeCodes(30, 2))).toMatchObject({ code: "LOOP" });
    const silence = Array.from({ length: 75 }, () => makeCodes(1, 3));
    const other = new GuardWatch(facts, thresholds);
    expect(other.push(joinCodes(makeCodes(30, 1), ...silence))).toBeNull();
    expect(other.push(joinCodes(...silence))).toMatchObject({ code: "LOOP" });
  });
});
