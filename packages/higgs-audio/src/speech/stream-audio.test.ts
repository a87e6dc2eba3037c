import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { concatenateSamples } from "@higgs-worker/base";
import { loadDemo, speechRequest } from "./testing/demo-model.ts";
import type { SpeechRequest } from "./speech-request.ts";
import type { AudioParts, SpeechModel, SpeechResult } from "./types.ts";

const TWO_CHUNKS = {
  transcript: "The sun is warm and the sky is blue. The boy went home to the river.",
  chunkMethod: "word",
  chunkMaxWordNum: 9,
  maxNewTokens: 90,
} as const;

let model: SpeechModel;
let whole: SpeechResult;
beforeAll(async () => {
  model = await loadDemo();
  whole = await model.speak(speechRequest(TWO_CHUNKS));
});
afterAll(async () => {
  await model[Symbol.asyncDispose]();
});

async function stream(overrides: Partial<SpeechRequest> = TWO_CHUNKS, audioParts?: AudioParts) {
  const parts: { readonly pcm: Float32Array; readonly atMs: number; readonly progressReports: number }[] = [];
  let progressReports = 0;
  const onProgress = () => (progressReports += 1);
  const startMs = performance.now();
  const onAudio = (pcm: Float32Array) => void parts.push({ pcm, atMs: performance.now() - startMs, progressReports });
  const result = await model.speak(speechRequest(overrides), { onAudio, onProgress, audioParts });
  return { parts, result, progressReports };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, index) => Math.max(largest, Math.abs(value - (b[index] ?? Number.NaN))), 0);
}

describe("speak() with onAudio", () => {
  it("gives the audio in parts, across chunks, that are together the whole decode", async () => {
    const { parts, result } = await stream();
    expect(parts.length).toBeGreaterThanOrEqual(3);
    const joined = concatenateSamples(parts.map(({ pcm }) => pcm));
    expect(result.codes).toEqual(whole.codes);
    expect(joined).toHaveLength(whole.pcm.length);
    expect(largestDifference(joined, whole.pcm)).toBeLessThan(1e-4);
    expect(result.pcm).toHaveLength(0);
  });

  it("gives exact parts, before the end, that are bit for bit the whole decode", async () => {
    // More than the window of a whole decode, 160 frames.
    const long = { ...TWO_CHUNKS, transcript: `${TWO_CHUNKS.transcript} ${TWO_CHUNKS.transcript}` };
    const undivided = await model.speak(speechRequest(long));
    expect(undivided.audioFrames).toBeGreaterThan(160);
    const { parts, result, progressReports } = await stream(long, "exact");
    expect(parts.length).toBeGreaterThanOrEqual(2);
    expect(parts[0]?.progressReports).toBeLessThan(progressReports);
    expect(result.pcm).toHaveLength(0);
    expect(concatenateSamples(parts.map(({ pcm }) => pcm))).toEqual(undivided.pcm);
  });

  it("gives the first part long before the end, and says when", async () => {
    const { parts, result, progressReports } = await stream();
    expect(parts[0]?.progressReports).toBeLessThan(progressReports / 2);
    expect(result.timings.firstAudioMs).toBeLessThanOrEqual(parts[0]?.atMs ?? 0);
    expect(whole.timings.firstAudioMs).toBeGreaterThan(whole.timings.prefillMs + whole.timings.generateMs);
  });

  it("gives one part of audio that is shorter than a window", async () => {
    const { parts } = await stream({ maxNewTokens: 14 });
    expect(parts.map(({ pcm }) => pcm.length)).toEqual([5 * 960]);
  });

  it("stops with CANCELLED within a part, and the model is as good as before", async () => {
    const controller = new AbortController();
    let parts = 0;
    const onAudio = () => {
      parts += 1;
      controller.abort();
    };
    const speaking = model.speak(speechRequest(TWO_CHUNKS), { signal: controller.signal, onAudio });
    await expect(speaking).rejects.toMatchObject({ code: "CANCELLED" });
    expect(parts).toBe(1);
    expect((await stream()).result.codes).toEqual(whole.codes);
  });

  it("ends with what the listener throws", async () => {
    const broken = new Error("the listener is gone");
    let parts = 0;
    const onAudio = () => {
      parts += 1;
      throw broken;
    };
    await expect(model.speak(speechRequest(TWO_CHUNKS), { onAudio })).rejects.toBe(broken);
    expect(parts).toBe(1);
    expect((await stream()).result.codes).toEqual(whole.codes);
  });
});
