import { expect, it } from "vitest";
import { AudioMeter, measureAudio } from "./measure.ts";

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

it("audio in parts of any size measures the same as the whole", () => {
  const pcm = Float32Array.from({ length: 5_000 }, (_, i) => (i < 2_000 ? 0 : 1.2 * Math.sin(i / 7)));
  const whole = measureAudio(pcm, 24_000);
  for (const size of [1, 7, 480, 481, 4_999]) {
    const meter = new AudioMeter(24_000);
    for (let start = 0; start < pcm.length; start += size) meter.add(pcm.subarray(start, start + size));
    expect(meter.measures).toEqual(whole);
  }
});
