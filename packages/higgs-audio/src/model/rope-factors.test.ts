import { describe, expect, it } from "vitest";
import { RELEASED_HIGGS_CONFIG } from "../checkpoint/released-config.ts";
import { ropeDivisors } from "./rope-factors.ts";

/** Multipliers f'ⱼ / fⱼ of the released model between the two ends (spec model §4.4). */
const RAMP = new Map([
  [29, 0.8097578845],
  [30, 0.6055727545],
  [31, 0.4392400287],
  [32, 0.3037425238],
  [33, 0.193363921],
  [34, 0.103447609],
]);

/** The same model as the native layout writes it. */
const NATIVE = {
  ...RELEASED_HIGGS_CONFIG,
  ropeScaling: { factor: 32, lowFreqFactor: 0.125, highFreqFactor: 0.5, originalMaxPositionEmbeddings: 1024 },
};

describe("ropeDivisors()", () => {
  it.each([
    ["boson", RELEASED_HIGGS_CONFIG],
    ["native", NATIVE],
  ])("follow the multiplier table with the parameters of the %s layout", (_layout, config) => {
    const divisors = ropeDivisors(config);
    expect(divisors).toHaveLength(64);
    for (const [j, divisor] of divisors.entries()) {
      const multiplier = RAMP.get(j) ?? (j <= 28 ? 1 : 1 / 32);
      const frequency = 500_000 ** ((-2 * j) / 128);
      // As exact as f32 and the ten digits of the table.
      expect(Math.abs(1 / (divisor * frequency * multiplier) - 1), `pair ${j}`).toBeLessThan(1e-7);
    }
  });

  it("are the same numbers for both layouts", () => {
    expect(ropeDivisors(NATIVE)).toEqual(ropeDivisors(RELEASED_HIGGS_CONFIG));
  });

  it("are plain without scaling", () => {
    const { ropeScaling } = RELEASED_HIGGS_CONFIG;
    const divisors = ropeDivisors({ ...RELEASED_HIGGS_CONFIG, ropeScaling: { ...ropeScaling, factor: 1 } });
    const expected = Float32Array.from({ length: 64 }, (_, j) => 500_000 ** (j / 64));
    for (const [j, divisor] of divisors.entries()) expect(divisor / (expected[j] ?? 0)).toBeCloseTo(1, 6);
  });
});
