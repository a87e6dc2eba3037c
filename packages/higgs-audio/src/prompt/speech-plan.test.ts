import { describe, expect, it } from "vitest";
import { planSpokenText, type TextRequest } from "./plan-text.ts";
import { planSpeech, type SpeechLimits } from "./speech-plan.ts";

const LIMITS: SpeechLimits = { maxFramesPerChunk: 2039, allowTruncated: false };

function request(overrides: Partial<TextRequest>): TextRequest {
  return {
    transcript: "Hello",
    normalize: true,
    chunkMethod: null,
    chunkMaxWordNum: 200,
    chunkMaxNumTurns: 1,
    ...overrides,
  };
}

describe("planSpeech", () => {
  it.each([null, "word", "speaker"] as const)("has the reference's chunks for method %s", (chunkMethod) => {
    const same = request({
      transcript: "[SPEAKER0] One two three.\n[SPEAKER1] Four.",
      chunkMethod,
      chunkMaxWordNum: 2,
    });
    const reference = planSpokenText(same);
    const plan = planSpeech(same, LIMITS);
    expect(plan.chunks.map(({ text }) => text)).toEqual(reference.chunks);
    expect(plan.text).toBe(reference.text);
    expect(plan.chunks.at(-1)?.end).toBe("text");
    expect(plan.chunks.every(({ expectedFrames }) => expectedFrames >= 1)).toBe(true);
  });
});
