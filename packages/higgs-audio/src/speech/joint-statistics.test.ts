import { describe, expect, it } from "vitest";
import { rankJoints } from "./joint-statistics.ts";

const RATE_HZ = 24_000;

/** A voice without words, in syllables that rise from silence and fall back. */
function voice(seconds: number): Float32Array {
  return Float32Array.from({ length: seconds * RATE_HZ }, (_, i) => {
    const time = i / RATE_HZ;
    const loud = (0.5 - 0.5 * Math.cos(2 * Math.PI * 4 * time)) ** 2;
    const harmonics = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => Math.sin(2 * Math.PI * 130 * n * time) / n);
    return 0.1 * loud * harmonics.reduce((sum, value) => sum + value, 0);
  });
}

/** Samples between and in the middle of two syllables. */
const BETWEEN = RATE_HZ;
const WITHIN = RATE_HZ + RATE_HZ / 8;

const worst = (pcm: Float32Array, joint: number) => {
  const [{ ranks } = { ranks: { step: 0, flux: 0, prominence: 0 } }] = rankJoints(pcm, RATE_HZ, [joint]);
  return Math.max(ranks.step, ranks.flux, ranks.prominence);
};

describe("rankJoints()", () => {
  it("finds nothing where there is nothing, loud or soft", () => {
    expect(worst(voice(4), BETWEEN)).toBeLessThan(0.5);
    expect(worst(voice(4), RATE_HZ + RATE_HZ / 16)).toBeLessThan(0.9);
  });

  it("finds an impulse in silence that is far below the speech", () => {
    const pcm = voice(4);
    pcm[BETWEEN] = 10 ** (-50 / 20);
    expect(worst(pcm, BETWEEN)).toBe(1);
  });

  it("finds a cut from one part of a sound to another, and not if it fades", () => {
    const pcm = voice(4);
    pcm.copyWithin(WITHIN, WITHIN + 90);
    expect(worst(pcm, WITHIN)).toBe(1);
    for (let i = 0; i < 120; i++) {
      const gain = (i + 0.5) / 120;
      pcm[WITHIN - 1 - i] = (pcm[WITHIN - 1 - i] ?? 0) * gain;
      pcm[WITHIN + i] = (pcm[WITHIN + i] ?? 0) * gain;
    }
    expect(worst(pcm, WITHIN)).toBeLessThan(1);
  });

  it("says how large what it found is", () => {
    const pcm = new Float32Array(RATE_HZ);
    pcm[RATE_HZ / 2] = 0.25;
    const [{ measures } = { measures: null }] = rankJoints(pcm, RATE_HZ, [RATE_HZ / 2]);
    expect(measures?.step).toBe(0.25);
    expect(measures?.prominence).toBeGreaterThan(8);
    expect(rankJoints(pcm, RATE_HZ, [])).toEqual([]);
  });
});
