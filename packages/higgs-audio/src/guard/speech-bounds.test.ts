import { array, assert as check, constantFrom, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { speechBounds, SpeechBoundsFinder } from "./speech-bounds.ts";

const RATE_HZ = 24_000;
const BLOCK = 240;

/** Pieces of seconds and level: a tone for speech, white noise for hiss. */
type Piece = { readonly kind: "tone" | "noise"; readonly seconds: number; readonly db: number };

function audioOf(pieces: readonly Piece[]): Float32Array {
  let state = 1;
  const noise = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * Math.sqrt(3);
  };
  const samples: number[] = [];
  for (const { kind, seconds, db } of pieces) {
    const rms = 10 ** (db / 20);
    const count = Math.round(seconds * RATE_HZ);
    for (let i = 0; i < count; i++) {
      samples.push(rms * (kind === "noise" ? noise() : Math.SQRT2 * Math.sin((2 * Math.PI * 200 * i) / RATE_HZ)));
    }
  }
  return Float32Array.from(samples);
}

const silence = (seconds: number): Piece => ({ kind: "noise", seconds, db: -80 });
const vowel = (seconds: number, db = -20): Piece => ({ kind: "tone", seconds, db });
const hiss = (seconds: number, db: number): Piece => ({ kind: "noise", seconds, db });

const secondsOf = (pieces: readonly Piece[]): readonly [number, number] => {
  const { startSample, endSample } = speechBounds(audioOf(pieces), RATE_HZ);
  return [startSample / RATE_HZ, endSample / RATE_HZ];
};

describe("speechBounds()", () => {
  it.each([
    ["silence around", [silence(0.5), vowel(1), silence(0.5)], 0.5, 1.5],
    ["nothing around", [vowel(1)], 0, 1],
    ["a pause inside", [silence(0.2), vowel(0.5), silence(2), vowel(0.3), silence(0.7)], 0.2, 3],
    ["a soft long s at the end", [silence(0.2), vowel(1), hiss(0.3, -50), silence(0.5)], 0.2, 1.5],
    ["a quiet speaker", [silence(0.2), vowel(1, -45), hiss(0.2, -68), silence(0.5)], 0.2, 1.4],
    ["quiet words at the end", [vowel(1), vowel(0.25, -42), hiss(0.1, -55), vowel(0.25, -44), silence(1)], 0, 1.6],
    ["hiss for a second at the end", [silence(0.2), vowel(1), hiss(1, -45)], 0.2, 1.2],
    [
      "hiss behind a soft s and a pause",
      [vowel(1), hiss(0.2, -40), silence(0.3), hiss(0.8, -48), silence(0.3)],
      0,
      1.5,
    ],
    ["a hum at the end", [vowel(1), vowel(1, -48)], 0, 1],
  ] as const)("with %s", (_, pieces, start, end) => {
    const [gotStart, gotEnd] = secondsOf(pieces);
    expect(Math.abs(gotStart - start)).toBeLessThan(0.021);
    // The average over 50 ms sees a change of level late, never early.
    expect(gotEnd).toBeGreaterThan(end - 0.011);
    expect(gotEnd).toBeLessThan(end + 0.061);
  });

  it("finds no speech in silence, and none in nothing", () => {
    expect(secondsOf([silence(2)])).toEqual([0, 0]);
    expect(secondsOf([])).toEqual([0, 0]);
  });

  it("does not hear an offset as speech", () => {
    const offset = audioOf([silence(0.5), vowel(1), silence(1)]).map((x) => x + 0.05);
    const { endSample } = speechBounds(offset, RATE_HZ);
    expect(endSample / RATE_HZ).toBeLessThan(1.6);
  });
});

describe("SpeechBoundsFinder", () => {
  const pieces = array(
    record({
      kind: constantFrom("tone" as const, "noise" as const),
      seconds: integer({ min: 1, max: 60 }).map((blocks) => blocks / 100),
      db: integer({ min: -85, max: -8 }),
    }),
    { maxLength: 8 },
  );

  it("finds the same however the samples are pushed, and keeps what it said to be certain", () => {
    check(
      property(pieces, integer({ min: 100, max: 3000 }), (parts, step) => {
        const pcm = audioOf(parts);
        const finder = new SpeechBoundsFinder(RATE_HZ);
        let certain = 0;
        let start: number | null = null;
        for (let at = 0; at < pcm.length; at += step) {
          finder.push(pcm.subarray(at, at + step));
          const { endSample } = finder.bounds;
          expect(finder.certainEndSample).toBeGreaterThanOrEqual(certain);
          certain = finder.certainEndSample;
          expect(endSample).toBeGreaterThanOrEqual(certain);
          expect(endSample).toBeLessThanOrEqual(Math.min(pcm.length, at + step));
          expect(start ?? finder.startSample).toBe(finder.startSample);
          start = finder.startSample;
        }
        expect(finder.bounds).toEqual(speechBounds(pcm, RATE_HZ));
      }),
      { numRuns: 60 },
    );
  });

  it("is certain of loud speech at once", () => {
    const finder = new SpeechBoundsFinder(RATE_HZ);
    finder.push(audioOf([vowel(1), vowel(1, -35)]));
    expect(finder.certainEndSample).toBe(2 * RATE_HZ);
    finder.push(audioOf([silence(0.5)]));
    expect(finder.certainEndSample).toBeLessThanOrEqual(2 * RATE_HZ + BLOCK);
  });
});
