import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noise } from "../testing/describe-audio-encoder.ts";
import { resample, resampledLength, Resampler } from "./resample.ts";

const TARGET_HZ = 24_000;

function tone(frequencyHz: number, sampleRateHz: number, seconds: number, amplitude = 0.9): Float32Array {
  const step = (2 * Math.PI * frequencyHz) / sampleRateHz;
  return Float32Array.from({ length: Math.round(sampleRateHz * seconds) }, (_, i) => amplitude * Math.sin(step * i));
}

/** A tone that moves evenly from one frequency to the other. */
function sweep(fromHz: number, toHz: number, sampleRateHz: number, seconds: number): Float32Array {
  const slope = (toHz - fromHz) / seconds;
  return Float32Array.from({ length: Math.round(sampleRateHz * seconds) }, (_, i) => {
    const t = i / sampleRateHz;
    return 0.9 * Math.sin(2 * Math.PI * (fromHz * t + (slope * t * t) / 2));
  });
}

/** Without the ends, where the filter sees the tone begin and stop. */
const middle = (pcm: Float32Array) => pcm.subarray(400, pcm.length - 400);

const rms = (pcm: Float32Array) => Math.sqrt(pcm.reduce((sum, x) => sum + x * x, 0) / pcm.length);
const decibels = (ratio: number) => 20 * Math.log10(ratio + 1e-12);

/** The tone's level against the input's, and the level of everything else (images, aliases, noise), in dB. */
function analyze(frequencyHz: number, fromHz: number, toHz: number): { gainDb: number; restDb: number } {
  const out = middle(resample(tone(frequencyHz, fromHz, 0.3), fromHz, toHz));
  // Least squares for the sine and the cosine of exactly that frequency.
  const step = (2 * Math.PI * frequencyHz) / toHz;
  let [ss, cc, sc, xs, xc] = [0, 0, 0, 0, 0];
  out.forEach((x, i) => {
    const [s, c] = [Math.sin(step * i), Math.cos(step * i)];
    [ss, cc, sc, xs, xc] = [ss + s * s, cc + c * c, sc + s * c, xs + x * s, xc + x * c];
  });
  const determinant = ss * cc - sc * sc;
  const [a, b] = [(xs * cc - xc * sc) / determinant, (xc * ss - xs * sc) / determinant];
  const rest = out.map((x, i) => x - a * Math.sin(step * i) - b * Math.cos(step * i));
  return { gainDb: decibels(Math.hypot(a, b) / 0.9), restDb: decibels(rms(rest) / (0.9 / Math.SQRT2)) };
}

const RATES_HZ = [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000, 44_101];

describe("resample()", () => {
  it.each(RATES_HZ.filter((rate) => rate > TARGET_HZ))(
    "%i Hz: a sweep above 12 kHz leaves no alias above −100 dB",
    (rate) => {
      const input = sweep(TARGET_HZ / 2 + 1, rate / 2, rate, 0.5);
      const level = decibels(rms(middle(resample(input, rate, TARGET_HZ))) / rms(input));
      expect(level).toBeLessThan(-100);
    },
  );

  it.each(RATES_HZ)(
    "%i Hz: tones through the pass band keep their level, and nothing else is above −100 dB",
    (rate) => {
      const nyquistHz = Math.min(rate, TARGET_HZ) / 2;
      const results = [0.013, 0.31, 0.62, 0.85, 0.9137].map((share) => analyze(share * nyquistHz, rate, TARGET_HZ));
      for (const { gainDb } of results) expect(Math.abs(gainDb)).toBeLessThan(0.001);
      expect(Math.max(...results.map(({ restDb }) => restDb))).toBeLessThan(-100);
    },
  );

  it("has the transition band of soxr HQ: its levels for 48 kHz to 24 kHz, measured with soxr 1.1", () => {
    const measured = {
      0.92: -0.002,
      0.93: -0.074,
      0.94: -0.673,
      0.95: -2.875,
      0.96: -8.033,
      0.97: -17.53,
      0.98: -33.25,
    };
    for (const [share, level] of Object.entries(measured)) {
      expect(Math.abs(analyze(Number(share) * 12_000, 48_000, TARGET_HZ).gainDb - level)).toBeLessThan(0.3);
    }
  });

  it("shifts nothing: an impulse stays at its time and is symmetric", () => {
    const input = new Float32Array(4_801);
    input[2_400] = 1;
    const out = resample(input, 48_000, TARGET_HZ);
    expect(out.indexOf(Math.max(...out))).toBe(1_200);
    expect(out.slice(1_000, 1_200)).toEqual(out.slice(1_201, 1_401).reverse());
  });

  it("keeps a constant to −120 dB where the filter sees nothing else", () => {
    for (const rate of RATES_HZ) {
      const out = middle(resample(new Float32Array(rate).fill(0.5), rate, TARGET_HZ));
      expect(Math.max(...out.map((x) => Math.abs(x - 0.5)))).toBeLessThan(1e-6);
    }
  });

  it("interpolates between shared filters as exactly as own filters are", () => {
    // 24 001 Hz to 24 000 Hz has 24 000 phases; one sample in 24 000 is all that the two rates differ by.
    const { gainDb, restDb } = analyze(4_321, 24_001, TARGET_HZ);
    expect(Math.abs(gainDb)).toBeLessThan(1e-5);
    expect(restDb).toBeLessThan(-130);
  });

  it("gives the length that librosa gives, and zeros where soxr ends earlier", () => {
    // 6615 samples at 44.1 kHz are exactly 3600, but 3601 in floating point.
    expect(resampledLength(6_615, 44_100, TARGET_HZ)).toBe(3_601);
    const out = resample(noise(6_615, 3), 44_100, TARGET_HZ);
    expect([out.length, out[3_600]]).toEqual([3_601, 0]);
    expect(out[3_599]).not.toBe(0);
  });

  it.each([0, 1, 2, 5])("works for %i samples", (sampleCount) => {
    for (const rate of RATES_HZ) {
      const out = resample(noise(sampleCount, 1), rate, TARGET_HZ);
      expect(out).toHaveLength(Math.ceil(sampleCount * (TARGET_HZ / rate)));
      expect(out.every(Number.isFinite)).toBe(true);
    }
  });

  it("is linear, and a copy where the rates are equal", () => {
    const pcm = noise(500, 4);
    const same = resample(pcm, TARGET_HZ, TARGET_HZ);
    expect(same).toEqual(pcm);
    expect(same).not.toBe(pcm);
    const half = resample(
      pcm.map((x) => x / 2),
      16_000,
      TARGET_HZ,
    );
    expect(resample(pcm, 16_000, TARGET_HZ).map((x) => x / 2)).toEqual(half);
  });

  it("agrees with the plain sum over all samples, at any rates", () => {
    const plain = (pcm: Float32Array, from: number, to: number, index: number) => {
      const low = Math.min(1, to / from);
      return pcm.reduce((sum, x, n) => sum + x * low * plainKernel((n - (index * from) / to) * low), 0);
    };
    fc.assert(
      fc.property(fc.integer({ min: 4_000, max: 100_000 }), fc.integer({ min: 1, max: 400 }), (rate, length) => {
        const pcm = noise(length, rate);
        const out = resample(pcm, rate, TARGET_HZ);
        const index = Math.floor(out.length / 2);
        if ((length * TARGET_HZ) / rate < 2) return;
        expect(Math.abs((out[index] ?? 0) - plain(pcm, rate, TARGET_HZ, index))).toBeLessThan(2e-7);
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    [24_000, 8_000],
    [24_000, 16_000],
    [24_000, 22_050],
    [24_000, 44_100],
    [24_000, 48_000],
    [48_000, 24_000],
    [24_001, 24_000],
    [24_000, 24_000],
  ])("gives the same samples for audio that arrives in parts: %i to %i Hz", (fromHz, toHz) => {
    const pcm = noise(4_801, fromHz + toHz);
    const whole = resample(pcm, fromHz, toHz);
    for (const step of [1, 7, 960, 5_000]) {
      const resampler = new Resampler(fromHz, toHz);
      const parts: Float32Array[] = [];
      for (let start = 0; start < pcm.length; start += step) {
        parts.push(resampler.write(pcm.subarray(start, start + step)));
      }
      parts.push(resampler.write(new Float32Array(0)), resampler.end());
      expect(Float32Array.from(parts.flatMap((part) => [...part]))).toEqual(whole);
    }
  });

  it("holds back no more than half the filter", () => {
    const resampler = new Resampler(24_000, 48_000);
    expect(resampler.write(noise(2_400, 1)).length).toBeGreaterThan(2 * (2_400 - 110));
  });

  it.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses the rate %d", (rate) => {
    expect(() => resample(new Float32Array(4), rate, TARGET_HZ)).toThrow(RangeError);
  });
});

/** The same filter, written another way: the Bessel function as an integral. */
function plainKernel(t: number): number {
  const place = t / 96.83;
  if (Math.abs(place) >= 1) return 0;
  const bessel = (x: number) => {
    const steps = 200;
    let sum = 0;
    for (let i = 0; i < steps; i++) sum += Math.exp(x * (Math.cos((Math.PI * (i + 0.5)) / steps) - 1));
    return (sum / steps) * Math.exp(x);
  };
  const x = Math.PI * 0.956871825 * t;
  return (
    (0.956871825 * (x === 0 ? 1 : Math.sin(x) / x) * bessel(13.0395 * Math.sqrt(1 - place * place))) / bessel(13.0395)
  );
}
