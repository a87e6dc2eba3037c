import { describe, expect, it } from "vitest";
import { noise } from "../testing/describe-audio-encoder.ts";
import { countHeardSyllables, countWrittenSyllables } from "./syllables.ts";

/** Pulses of a vowel-like 500 Hz, each half of its time silent but for faint noise. */
function pulses(count: number, perSecond: number, rateHz: number): Float32Array {
  const length = Math.round((count / perSecond) * rateHz);
  const floor = noise(length, 3, 1e-3);
  return floor.map((x, index) => {
    const phase = ((index / rateHz) * perSecond) % 1;
    const shape = phase < 0.5 ? Math.sin(2 * Math.PI * phase) : 0;
    return x + 0.3 * shape * Math.sin((2 * Math.PI * 500 * index) / rateHz);
  });
}

describe("countHeardSyllables()", () => {
  it.each([
    [4, 2, 8_000],
    [12, 4, 16_000],
    [30, 5, 24_000],
    [40, 6, 48_000],
  ])("hears %i pulses at %i a second and %i Hz", (count, perSecond, rateHz) => {
    expect(countHeardSyllables(pulses(count, perSecond, rateHz), rateHz)).toBe(count);
  });

  it("hears nothing in silence, and in nothing", () => {
    expect(countHeardSyllables(new Float32Array(16_000), 16_000)).toBe(0);
    expect(countHeardSyllables(new Float32Array(0), 16_000)).toBe(0);
  });

  it("hears neither hum nor hiss", () => {
    const tone = (hertz: number) =>
      Float32Array.from({ length: 32_000 }, (_, index) => {
        const isOn = ((index / 16_000) * 4) % 1 < 0.5;
        return isOn ? 0.5 * Math.sin((2 * Math.PI * hertz * index) / 16_000) : 0;
      });
    const voice = pulses(6, 3, 16_000);
    const hum = tone(60);
    const hiss = tone(6_000);
    const heard = voice.map((x, index) => x + 0.01 * ((hum[index] ?? 0) + (hiss[index] ?? 0)));
    expect(countHeardSyllables(heard, 16_000)).toBe(6);
  });
});

it.each([
  ["The sun is warm", 4],
  ["Hello, hello!", 4],
  ["Über Äpfel", 4],
  ["¿Cómo estás? Muy bien", 6],
  ["Привет, мир", 3],
  ["καλημέρα", 4],
  ["你好世界", 4],
  ["안녕하세요", 5],
  ["[SPEAKER0] Hi <SE>[Laughter]</SE>", 1],
  ["… !", 0],
])("%j has %i syllables", (transcript, expected) => {
  expect(countWrittenSyllables(transcript)).toBeCloseTo(expected, 1);
});
