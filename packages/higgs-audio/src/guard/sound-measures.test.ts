import { concatenateSamples } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import { measureLevels } from "./levels.ts";
import { measurePitch } from "./pitch.ts";
import { BAND_COUNT, measureSpectrum } from "./spectrum.ts";
import { makeHum, makeNoise, makeSilence, makeSpeech, RATE_HZ } from "./testing/made-speech.ts";
import { voiceStatistics } from "./voice-statistics.ts";

const always = () => true;

describe("levels", () => {
  it("are RMS in dB without the mean, and of the differences", () => {
    const { levelDb, highDb, mean, loudDb } = measureLevels(
      makeNoise(1, -30).map((sample) => sample + 0.1),
      RATE_HZ,
    );
    expect(levelDb).toHaveLength(100);
    expect(levelDb.reduce((sum, level) => sum + level, 0) / 100).toBeCloseTo(-30, 0);
    // White noise has twice the power in its differences.
    expect(highDb.reduce((sum, level) => sum + level, 0) / 100).toBeCloseTo(-27, 0);
    expect(mean).toBeCloseTo(0.1, 2);
    expect(loudDb).toBeGreaterThan(-30);
  });

  it("are those of digital silence for silence", () => {
    expect([...new Set(measureLevels(makeSilence(0.1), RATE_HZ).levelDb)]).toEqual([-120]);
  });
});

describe("spectrum", () => {
  it.each([8000, 16_000, 24_000, 48_000])("has flat bands for white noise and a peak for a tone at %i Hz", (rateHz) => {
    const noise = measureSpectrum(makeNoise(1, -20).subarray(0, rateHz), rateHz);
    expect(noise.flatnessDb.every((flatness) => flatness > -5 && flatness < -1)).toBe(true);
    const tone = Float32Array.from({ length: rateHz }, (_, i) => 0.1 * Math.sin((2 * Math.PI * 1000 * i) / rateHz));
    const { frames, bandsDb, flatnessDb } = measureSpectrum(tone, rateHz);
    const middle = Math.floor(frames / 2);
    const bands = [...bandsDb.subarray(middle * BAND_COUNT, (middle + 1) * BAND_COUNT)];
    const loudest = bands.indexOf(Math.max(...bands));
    expect(bands.filter((level) => level > (bands[loudest] ?? 0) - 20).length).toBeLessThan(4);
    expect(flatnessDb[middle]).toBeLessThan(-25);
  });

  it("has no windows in less than 40 ms", () => {
    expect(measureSpectrum(makeNoise(0.039, -20), RATE_HZ).frames).toBe(0);
    expect(measureSpectrum(makeNoise(0.041, -20), RATE_HZ).frames).toBe(1);
  });
});

describe("pitch", () => {
  it.each([70, 100, 155, 220, 350])("of a hum of %i Hz is right to 1 %", (hertz) => {
    const pitch = measurePitch(makeHum(1, -20, hertz), RATE_HZ, always);
    expect(pitch.hertz.length).toBeGreaterThan(20);
    for (const value of pitch.hertz) expect(Math.abs(value / hertz - 1)).toBeLessThan(0.01);
  });

  it("is none in noise", () => {
    const { hertz } = measurePitch(makeNoise(2, -20), RATE_HZ, always);
    expect(hertz.filter((value) => value > 0).length).toBeLessThan(hertz.length / 10);
  });
});

describe("voice statistics", () => {
  it("know the pitch of a voice, whatever its level", () => {
    const of = (gain: number) =>
      voiceStatistics(
        makeSpeech(3, { voice: { pitchHz: 140, formants: 1 } }).map((sample) => gain * sample),
        RATE_HZ,
      );
    const [loud, quiet] = [of(1), of(0.2)];
    expect(loud?.pitchHz).toBeGreaterThan(125);
    expect(loud?.pitchHz).toBeLessThan(155);
    expect(loud?.pitchSpreadSemitones).toBeLessThan(2);
    expect(quiet?.pitchHz).toBeCloseTo(loud?.pitchHz ?? 0, 0);
    for (const [band, level] of (quiet?.spectrumDb ?? []).entries()) {
      expect(Math.abs(level - (loud?.spectrumDb[band] ?? 0))).toBeLessThan(1);
    }
  });

  it("are none for too little voice, noise or silence", () => {
    expect(voiceStatistics(makeSpeech(0.5), RATE_HZ)).toBeNull();
    expect(voiceStatistics(makeNoise(3, -20), RATE_HZ)).toBeNull();
    expect(voiceStatistics(makeSilence(3), RATE_HZ)).toBeNull();
    expect(voiceStatistics(new Float32Array(0), RATE_HZ)).toBeNull();
  });

  it("survive silence and a pause", () => {
    const speech = makeSpeech(3);
    const paused = concatenateSamples([
      makeSilence(2),
      speech.subarray(0, 36_000),
      makeSilence(3),
      speech.subarray(36_000),
    ]);
    const [a, b] = [voiceStatistics(speech, RATE_HZ), voiceStatistics(paused, RATE_HZ)];
    expect(Math.abs((a?.pitchHz ?? 0) - (b?.pitchHz ?? 0))).toBeLessThan(5);
  });
});
