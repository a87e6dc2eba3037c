import { assert as check, integer, nat, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { GuardWatch } from "./guard-watch.ts";
import { inspectChunk } from "./inspect-chunk.ts";
import { resolveGuardThresholds } from "./thresholds.ts";
import type { ChunkFacts } from "./types.ts";

const thresholds = resolveGuardThresholds();

function factsOf(frames: number, facts: Partial<ChunkFacts> = {}): ChunkFacts {
  return {
    codes: Array.from({ length: 8 }, (_, codebook) =>
      Int32Array.from({ length: frames }, (__, frame) => (frame * 37 + codebook) % 1024),
    ),
    pcm: null,
    sampleRateHz: 24_000,
    framesPerSecond: 25,
    textTokens: 10,
    expectedFrames: 75,
    finished: "eos",
    voice: null,
    ...facts,
  };
}

const codesOf = (facts: ChunkFacts) => inspectChunk(facts, thresholds).findings.map(({ code }) => code);

describe("length of a chunk", () => {
  it("finds a chunk that runs away and one that stops early", () => {
    expect(codesOf(factsOf(75))).toEqual([]);
    expect(codesOf(factsOf(385))).toEqual(["RUNAWAY"]);
    expect(codesOf(factsOf(20))).toEqual(["EARLY_STOP"]);
    expect(codesOf(factsOf(0))).toEqual(["EARLY_STOP"]);
  });

  it("says bad exactly when the score is below one half", () => {
    check(
      property(nat({ max: 800 }), nat({ max: 100 }), nat({ max: 500 }), (frames, textTokens, expectedFrames) => {
        const { findings, score } = inspectChunk(factsOf(frames, { textTokens, expectedFrames }), thresholds);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        expect(findings.some(({ isBad }) => isBad)).toBe(score < 0.5);
      }),
    );
  });

  it("ends a runaway at the frame at which the whole would be one, however the frames come", () => {
    check(
      property(integer({ min: 1, max: 40 }), (step) => {
        const { codes, ...facts } = factsOf(500);
        const watch = new GuardWatch(facts, thresholds);
        for (let first = 0; first < 500; first += step) {
          const end = Math.min(first + step, 500);
          const finding = watch.push(codes.map((row) => row.subarray(first, end)));
          expect(finding?.code).toBe(end > 287 ? "RUNAWAY" : undefined);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe("thresholds", () => {
  it("keeps what is given, fills in the rest and refuses all that is out of range at once", () => {
    const given = resolveGuardThresholds({ runawayFloorFrames: 100 });
    expect(given).toEqual({ ...thresholds, runawayFloorFrames: 100 });
    expect(() => resolveGuardThresholds({ runawayFloorFrames: -1, earlyStopExpectedRatio: Number.NaN })).toThrow(
      /runawayFloorFrames \(got -1, limit 0 … 100000 frames\); earlyStopExpectedRatio \(got NaN/,
    );
  });
});
