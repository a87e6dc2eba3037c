import { describe, expect, it } from "vitest";
import { estimateSpeechLength } from "./speech-length.ts";

const ENGLISH =
  "The sun rises in the east and sets in the west. This simple fact has been observed by humans for thousands of years, and it still surprises the child who sees it.";

describe("estimateSpeechLength", () => {
  it("gives an unhurried pace, and a least length that nobody undercuts", () => {
    const words = ENGLISH.split(" ").length;
    const { seconds, leastSeconds } = estimateSpeechLength(ENGLISH);
    // 130 to 190 words a minute.
    expect(words / (seconds / 60)).toBeGreaterThan(130);
    expect(words / (seconds / 60)).toBeLessThan(190);
    expect(words / (leastSeconds / 60)).toBeGreaterThan(300);
  });

  it("counts neither speaker tags nor signs without a sound, and sounds by themselves", () => {
    expect(estimateSpeechLength("[SPEAKER0] Hello")).toEqual(estimateSpeechLength("Hello"));
    expect(estimateSpeechLength("🙂 --")).toEqual({ seconds: 0, leastSeconds: 0 });
    expect(estimateSpeechLength("<SE>[Laughter]</SE>")).toEqual({ seconds: 1.5, leastSeconds: 0 });
  });

  it("grows by what follows", () => {
    const one = estimateSpeechLength(`${ENGLISH} `);
    const two = estimateSpeechLength(`${ENGLISH} ${ENGLISH} `);
    expect(two.seconds).toBeCloseTo(2 * one.seconds, 6);
    expect(two.leastSeconds).toBeCloseTo(2 * one.leastSeconds, 6);
  });
});
