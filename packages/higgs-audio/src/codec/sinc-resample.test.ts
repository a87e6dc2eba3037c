import { describe, expect, it } from "vitest";
import { makeSincFilter, sincResample } from "./sinc-resample.ts";
import { largestError } from "./testing/small-codec.ts";

/** spec model §A.4: taps −10 … 12. */
const PHASE_0 = [
  0, -1.6351e-6, -0.0010764474, 0.0052825985, -0.0017229404, -0.0217233393, 0.0427480005, -0.0050268169, -0.1189598814,
  0.2706917524, 0.6600000262, 0.2706917524, -0.1189598814, -0.0050268169, 0.0427480005, -0.0217233393, -0.0017229404,
  0.0052825985, -0.0010764474, -1.6351e-6, 0, 0, 0,
];
const PHASE_1 = [
  0, 0, 0, -0.000366034, 0.0004891832, 0.0072505227, -0.0179549195, 0.0033806814, 0.0509038046, -0.093561992,
  0.0062277322, 0.5438855886, 0.543885529, 0.0062277322, -0.093561992, 0.0509037934, 0.0033806814, -0.0179549344,
  0.0072505227, 0.0004891832, -0.000366034, 0, 0,
];

/** One unit in the last place of the small taps: sine and cosine are not correctly rounded everywhere. */
const ULP = 6e-9;

const filter = makeSincFilter(24_000, 16_000);

function tone(frequencyHz: number, rateHz: number, seconds: number): Float32Array {
  return Float32Array.from({ length: rateHz * seconds }, (_, i) => Math.sin((2 * Math.PI * frequencyHz * i) / rateHz));
}

describe("makeSincFilter()", () => {
  it("has the reference's taps to the last bit or two", () => {
    expect(filter).toMatchObject({ from: 3, to: 2, width: 10 });
    expect(largestError(filter.taps[0] ?? [], PHASE_0)).toBeLessThan(ULP);
    expect(largestError(filter.taps[1] ?? [], PHASE_1)).toBeLessThan(ULP);
  });
});

describe("sincResample()", () => {
  it("makes ⌈2n/3⌉ samples", () => {
    const lengths = [0, 1, 2, 3, 4, 5, 960, 961, 2000].map((n) => sincResample(new Float32Array(n), filter).length);
    expect(lengths).toEqual([0, 1, 2, 2, 3, 4, 640, 641, 1334]);
  });

  it("is Σ h[i] · x[3j + i], with zeros outside", () => {
    const x = Float32Array.from({ length: 50 }, (_, i) => Math.sin(i * 12.9898));
    const expected = Array.from({ length: 34 }, (_, at) => {
      const taps = at % 2 === 0 ? PHASE_0 : PHASE_1;
      return taps.reduce((sum, tap, i) => sum + tap * (x[Math.floor(at / 2) * 3 + i - 10] ?? 0), 0);
    });
    expect(largestError(sincResample(x, filter), expected)).toBeLessThan(1e-6);
  });

  it("keeps what lies below the new Nyquist frequency and removes what lies above", () => {
    const kept = sincResample(tone(1000, 24_000, 0.1), filter).subarray(100, 1500);
    expect(largestError(kept, tone(1000, 16_000, 0.1).subarray(100, 1500))).toBeLessThan(2e-3);
    const removed = sincResample(tone(10_500, 24_000, 0.1), filter).subarray(100, 1500);
    expect(removed.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0)).toBeLessThan(2e-2);
  });
});
