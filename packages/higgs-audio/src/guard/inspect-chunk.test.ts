import { concatenateSamples } from "@higgs-worker/base";
import { assert as check, constantFrom, double, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { inspectChunk, measureChunk } from "./inspect-chunk.ts";
import {
  joinCodes,
  makeCodes,
  makeFacts,
  makeHum,
  makeNoise,
  makeSilence,
  makeSpeech,
  RATE_HZ,
} from "./testing/made-speech.ts";
import { resolveGuardThresholds } from "./thresholds.ts";
import type { ChunkFacts } from "./types.ts";
import { voiceStatistics } from "./voice-statistics.ts";

const thresholds = resolveGuardThresholds();
const SECONDS = 3;

/** What is found in audio that should be three seconds of speech. */
function findingsIn(pcm: Float32Array, changes: Partial<ChunkFacts> = {}) {
  return inspectChunk(makeFacts(SECONDS, { pcm, ...changes }), thresholds).findings;
}
const codesIn = (pcm: Float32Array, changes?: Partial<ChunkFacts>) => findingsIn(pcm, changes).map(({ code }) => code);
const seeds = integer({ min: 1, max: 10_000 });

describe("a good chunk", () => {
  it("has no finding and a high score, at any sensible level", () => {
    check(
      property(seeds, double({ min: 0.05, max: 1.5, noNaN: true }), (seed, gain) => {
        const pcm = makeSpeech(SECONDS, { seed }).map((sample) => gain * sample);
        const { findings, score } = inspectChunk(makeFacts(SECONDS, { pcm }), thresholds);
        expect(findings).toEqual([]);
        expect(score).toBeGreaterThan(0.5);
      }),
      { numRuns: 8 },
    );
  });

  it("may begin and end with silence, pause for a second, and end with a fricative", () => {
    const speech = makeSpeech(1.5);
    const hiss = makeNoise(0.25, -35).map((sample, i) => sample * Math.sin((Math.PI * i) / (0.25 * RATE_HZ)));
    expect(codesIn(concatenateSamples([makeSilence(1), makeSpeech(SECONDS), makeSilence(5)]))).toEqual([]);
    expect(codesIn(concatenateSamples([makeSpeech(SECONDS), makeSilence(60)]))).toEqual([]);
    expect(codesIn(concatenateSamples([speech, makeSilence(1.5), speech]))).toEqual([]);
    expect(codesIn(concatenateSamples([speech, speech, hiss, makeSilence(0.1)]))).toEqual([]);
  });

  it("is looked at without audio too", () => {
    expect(inspectChunk(makeFacts(SECONDS), thresholds).findings).toEqual([]);
  });
});

describe("a bad chunk", () => {
  it("with noise or hum at the end, right behind the speech or after a gap", () => {
    const noises = constantFrom<(seconds: number, levelDb: number) => Float32Array>(makeNoise, makeHum);
    const levels = double({ min: -40, max: -10, noNaN: true });
    check(
      property(seeds, noises, levels, double({ min: 0, max: 0.4, noNaN: true }), (seed, make, levelDb, gap) => {
        const noise = make(1, levelDb);
        const pcm = concatenateSamples([makeSpeech(SECONDS, { seed }), makeSilence(gap), noise]);
        const found = findingsIn(pcm).find(({ code }) => code === "NOISE_AT_END");
        expect(found?.startSeconds).toBeGreaterThan(SECONDS - 0.3);
        expect(found?.startSeconds).toBeLessThan(SECONDS + gap + 0.1);
        expect(found?.endSeconds).toBeCloseTo(pcm.length / RATE_HZ, 0);
      }),
      { numRuns: 8 },
    );
  });

  it("with a silence of two seconds inside, quiet noise and a click in it or not", () => {
    const silence = makeSilence(2.2);
    const quiet = makeNoise(2.2, -65);
    const clicked = silence.map((sample, i) => (i >= 24_000 && i < 24_200 ? 0.3 : sample));
    for (const pause of [silence, quiet, clicked]) {
      const [found, ...others] = findingsIn(concatenateSamples([makeSpeech(1.5), pause, makeSpeech(1.5)]));
      expect(others).toEqual([]);
      expect(found).toMatchObject({ code: "SILENCE_INSIDE", isBad: true, limit: 2 });
      expect(found?.startSeconds).toBeCloseTo(1.5, 0);
      expect(found?.endSeconds).toBeCloseTo(3.7, 0);
    }
  });

  it("without any sound", () => {
    expect(codesIn(makeSilence(SECONDS))).toContain("SILENCE_INSIDE");
    expect(codesIn(makeNoise(SECONDS, -75))).toContain("SILENCE_INSIDE");
    expect(codesIn(new Float32Array(0), { codes: makeCodes(0) })).toContain("SILENCE_INSIDE");
  });

  it("that breaks off, and one that is much too short", () => {
    const speech = makeSpeech(SECONDS);
    check(
      property(seeds, double({ min: 0.9, max: 2.8, noNaN: true }), (seed, seconds) => {
        // In the middle of a vowel, where speech is loud.
        const end = Math.round((Math.floor(seconds / 0.22) * 0.22 + 0.13) * RATE_HZ);
        expect(codesIn(makeSpeech(SECONDS, { seed }).subarray(0, end))).toContain("EARLY_STOP");
      }),
      { numRuns: 8 },
    );
    expect(codesIn(concatenateSamples([makeSpeech(0.9), makeSilence(2)]))).toEqual(["EARLY_STOP"]);
    expect(codesIn(speech)).toEqual([]);
  });

  it("that is clipped, or has an offset", () => {
    const speech = makeSpeech(SECONDS);
    expect(codesIn(speech.map((sample) => sample * 8))).toEqual(["CLIPPING"]);
    expect(codesIn(speech.map((sample) => Math.max(-1, Math.min(1, sample * 8))))).toEqual(["CLIPPING"]);
    expect(codesIn(speech.map((sample, i) => (i % 500 === 0 ? Number.NaN : sample)))).toContain("CLIPPING");
    expect(codesIn(speech.map((sample) => sample - 0.03))).toEqual(["DC_OFFSET"]);
  });

  it("in another voice", () => {
    const [man, woman] = [
      { pitchHz: 110, formants: 1 },
      { pitchHz: 200, formants: 1.25 },
    ] as const;
    const reference = voiceStatistics(makeSpeech(4, { seed: 77, voice: man }), RATE_HZ);
    check(
      property(seeds, (seed) => {
        const of = (voice: typeof man | typeof woman) =>
          codesIn(makeSpeech(SECONDS, { seed, voice }), { voice: reference });
        expect(of(man)).toEqual([]);
        expect(of(woman)).toEqual(["VOICE_CHANGE"]);
      }),
      { numRuns: 8 },
    );
  });

  it("that loops while its audio is fine", () => {
    const block = makeCodes(12, 5);
    const codes = joinCodes(makeCodes(30, 4), block, block, block, makeCodes(9, 6));
    const [found, ...others] = findingsIn(makeSpeech(SECONDS), { codes });
    expect(others).toEqual([]);
    expect(found).toMatchObject({ code: "LOOP", startSeconds: 42 / 25, endSeconds: 66 / 25 });
  });
});

describe("the score", () => {
  it("is below one half exactly with a bad finding, and falls as a fault grows", () => {
    const scoreWith = (seconds: number) => {
      const pcm = concatenateSamples([makeSpeech(SECONDS), makeNoise(seconds, -25)]);
      return inspectChunk(makeFacts(SECONDS, { pcm }), thresholds);
    };
    const results = [0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.5].map(scoreWith);
    for (const { findings, score } of results) expect(findings.some(({ isBad }) => isBad)).toBe(score < 0.5);
    const scores = results.map(({ score }) => score);
    expect(scores.at(0)).toBeGreaterThan(0.5);
    expect(scores.at(-1)).toBeLessThan(0.05);
  });

  it("is a number whatever the samples are", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e30, 0, 1]) {
      for (const samples of [0, 1, 959, 24_000]) {
        const facts = makeFacts(SECONDS, { pcm: new Float32Array(samples).fill(value) });
        const { score } = inspectChunk(facts, thresholds);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        for (const { excess } of measureChunk(facts, thresholds)) expect(excess).not.toBeNaN();
      }
    }
  });
});
