import { describe, expect, it } from "vitest";
import { noise, tone } from "../testing/describe-audio-encoder.ts";
import { integratedLoudness, normalizeLoudness, truePeak } from "./loudness.ts";

const decibels = (ratio: number) => 20 * Math.log10(ratio);
const concat = (...parts: Float32Array[]) => Float32Array.from(parts.flatMap((part) => [...part]));

describe("integratedLoudness()", () => {
  // EBU Tech 3341, test signals 1 and 2, in one channel: a stereo pair is 3.01 LU louder than one of its channels.
  it.each([8_000, 16_000, 22_050, 24_000, 44_100, 48_000])(
    "measures a sine of 1 kHz as its level, at %i Hz",
    (rate) => {
      for (const level of [-23, -33]) {
        const pcm = tone(rate * 5, rate, 1_000, 10 ** (level / 20));
        const lufs = integratedLoudness(pcm, rate) ?? 0;
        expect(Math.abs(lufs - (level - 3.01))).toBeLessThan(0.1);
      }
    },
  );

  // Test signal 3 of the same: quiet parts before and after, which the relative gate leaves out.
  it("leaves quiet parts out", () => {
    const part = (level: number, seconds: number) => tone(24_000 * seconds, 24_000, 1_000, 10 ** (level / 20));
    const pcm = concat(part(-36, 10), part(-23, 60), part(-36, 10));
    expect(Math.abs((integratedLoudness(pcm, 24_000) ?? 0) + 26.01)).toBeLessThan(0.1);
  });

  // Test signal 4: parts below the absolute gate too.
  it("leaves silence out", () => {
    const part = (level: number, seconds: number) => tone(24_000 * seconds, 24_000, 1_000, 10 ** (level / 20));
    const pcm = concat(part(-72, 10), part(-36, 10), part(-23, 60), part(-36, 10), part(-72, 10));
    expect(Math.abs((integratedLoudness(pcm, 24_000) ?? 0) + 26.01)).toBeLessThan(0.1);
  });

  it("weights high sounds more than low ones", () => {
    const low = integratedLoudness(tone(48_000, 24_000, 60, 0.5), 24_000) ?? 0;
    const middle = integratedLoudness(tone(48_000, 24_000, 1_000, 0.5), 24_000) ?? 0;
    const high = integratedLoudness(tone(48_000, 24_000, 5_000, 0.5), 24_000) ?? 0;
    expect(middle - low).toBeGreaterThan(2.5);
    expect(high - middle).toBeGreaterThan(2.5);
  });

  it.each([
    ["silence", new Float32Array(48_000)],
    ["0.3 s", tone(7_200, 24_000)],
    ["nothing", new Float32Array(0)],
  ])("has no value for %s", (_name, pcm) => {
    expect(integratedLoudness(pcm, 24_000)).toBeNull();
  });
});

describe("truePeak()", () => {
  it("finds a peak between the samples", () => {
    // A quarter of the rate, shifted by half a sample: no sample is at the top.
    const pcm = Float32Array.from({ length: 4_800 }, (_, i) => 0.5 * Math.sin((Math.PI / 2) * i + Math.PI / 4));
    expect(Math.max(...pcm)).toBeCloseTo(0.3536, 3);
    expect(Math.abs(decibels(truePeak(pcm, 24_000) / 0.5))).toBeLessThan(0.2);
  });
});

describe("normalizeLoudness()", () => {
  it.each([-30, -23, -16])("brings audio to %d LUFS", (target) => {
    const pcm = concat(tone(48_000, 24_000, 300, 0.3), new Float32Array(24_000), tone(48_000, 24_000, 900, 0.1));
    const { pcm: out, lufs } = normalizeLoudness(pcm, 24_000, target);
    expect(lufs).toBeCloseTo(target, 5);
    expect(Math.abs((integratedLoudness(out, 24_000) ?? 0) - target)).toBeLessThan(0.01);
  });

  it("stops where peaks would clip, and says what it reached", () => {
    const pcm = concat(new Float32Array(100), Float32Array.of(0.9), noise(48_000, 3, 0.05));
    const { pcm: out, lufs } = normalizeLoudness(pcm, 24_000, -10);
    expect(lufs).toBeLessThan(-15);
    expect(decibels(truePeak(out, 24_000))).toBeCloseTo(-1, 1);
    expect(lufs).toBeCloseTo(integratedLoudness(out, 24_000) ?? 0, 3);
  });

  it("leaves what has no loudness as it is", () => {
    const pcm = tone(2_400, 24_000);
    expect(normalizeLoudness(pcm, 24_000, -16)).toEqual({ pcm, lufs: null });
  });
});
