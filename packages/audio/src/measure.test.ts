import { expect, it } from "vitest";
import { measureAudio } from "./measure.ts";

it("a sine of amplitude 0.5 for half of two seconds", () => {
  const pcm = new Float32Array(48_000);
  for (let i = 0; i < 24_000; i++) pcm[i] = 0.5 * Math.sin((2 * Math.PI * 440 * i) / 24_000);
  const measures = measureAudio(pcm, 24_000);
  expect(measures.durationSeconds).toBe(2);
  expect(measures.peak).toBeCloseTo(0.5, 3);
  expect(measures.rms).toBeCloseTo(0.25, 3);
  expect(measures.silenceShare).toBeCloseTo(0.5, 2);
  expect([measures.clippedSamples, measures.nonFiniteSamples]).toEqual([0, 0]);
});

it("counts what cannot be played", () => {
  const measures = measureAudio(Float32Array.of(1.5, -2, Number.NaN, Number.POSITIVE_INFINITY, 0), 24_000);
  expect([measures.clippedSamples, measures.nonFiniteSamples, measures.peak]).toEqual([2, 2, 2]);
});

it("no audio is silence of zero length", () => {
  expect(measureAudio(new Float32Array(0), 24_000)).toMatchObject({ durationSeconds: 0, rms: 0, silenceShare: 1 });
});
