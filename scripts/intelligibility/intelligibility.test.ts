import { expect, it } from "vitest";
import { resampleThreeToTwo } from "./resample.ts";
import { wordErrors, wordsOf } from "./word-errors.ts";

it.each([
  ["The sun is warm.", "the sun is warm", 0],
  ["The sun is warm.", "the son is warm", 1],
  ["The sun is warm.", "sun is", 2],
  ["The sun.", "oh the big sun", 2],
  ["", "noise", 1],
])("%j heard as %j has %i errors", (said, heard, errors) => {
  expect(wordErrors(wordsOf(said), wordsOf(heard))).toBe(errors);
});

it("resampling keeps a tone below the cut-off and removes one above", () => {
  const tone = (hertz: number) =>
    Float32Array.from({ length: 24_000 }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / 24_000));
  const rms = (pcm: Float32Array) =>
    Math.sqrt(pcm.subarray(500, -500).reduce((sum, x) => sum + x * x, 0) / (pcm.length - 1000));
  expect(resampleThreeToTwo(tone(1_000))).toHaveLength(16_000);
  expect(rms(resampleThreeToTwo(tone(1_000)))).toBeCloseTo(Math.SQRT1_2, 3);
  expect(rms(resampleThreeToTwo(tone(9_500)))).toBeLessThan(1e-3);
});
