import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { concatenateSamples } from "@higgs-worker/base";
import { clipSamples } from "../voices/clip-samples.ts";
import { collectProgress, isSame, loadDemo } from "./testing/demo-model.ts";
import type { SpeechRequest } from "./speech-request.ts";
import type { SpeechModel } from "./types.ts";

const SENTENCES = [
  "The sun is warm and the sky is blue.",
  "The boy went home to the river.",
  "We sing a song in the garden.",
  "The dog is happy and the cat is old.",
  "A small bird sat on the tree.",
];
const TEXT = SENTENCES.join(" ");
const BASE = { sampling: { temperature: 0.3 }, seed: 1 } as const;
/** Room for one sentence, so that the text is divided. */
const SHORT = { ...BASE, transcript: TEXT, maxNewTokens: 130 } as const;

let model: SpeechModel;
beforeAll(async () => {
  model = await loadDemo({ contextLength: 640 });
});
afterAll(async () => {
  await model[Symbol.asyncDispose]();
});

const textOf = (chunks: readonly { readonly text: string }[]): string =>
  chunks
    .map(({ text }) => text.trim())
    .join(" ")
    .replaceAll(/\s+/g, " ");

describe("a text that is longer than one chunk", () => {
  it("is spoken whole, in a context that holds a third of it, each chunk with its facts", async () => {
    const { progress, onProgress } = collectProgress();
    const result = await model.speak(SHORT, { onProgress });
    expect(result.chunkCount).toBeGreaterThan(2);
    expect(textOf(result.chunks)).toBe(TEXT);
    expect(result.chunks.every(({ finished, frames }) => finished === "eos" && frames > 0)).toBe(true);
    expect(result.chunks.reduce((sum, { frames }) => sum + frames, 0)).toBe(result.audioFrames);
    for (const { score, attempts, startSeconds, endSeconds } of result.chunks) {
      expect(score).toBeGreaterThan(0);
      expect(attempts).toBe(1);
      expect(endSeconds).toBeGreaterThan(startSeconds);
    }
    expect(result.chunks.at(-1)?.endSeconds).toBeLessThanOrEqual(result.pcm.length / result.sampleRateHz);
    expect(progress.at(-1)?.audioSeconds).toBe(result.audioFrames / 25);
  });

  it("keeps the first chunk in every prompt, and its keys and values too, unless told otherwise", async () => {
    const long = { ...SHORT, transcript: `${TEXT} ${TEXT}`, maxNewTokens: 130 };
    const held = await model.speak(long);
    const free = await model.speak({ ...long, voiceConsistency: false });
    expect(held.chunkCount).toBeGreaterThan(4);
    expect(held.codes).not.toEqual(free.codes);
    // The second chunk computes the beginning that all later ones share; the last ones of `free` share the fixed turns.
    expect(held.prefixes.hits).toBeGreaterThanOrEqual(held.chunkCount - 3);
    expect((await model.speak(long)).codes).toEqual(held.codes);
  });

  it("needs no context for its first chunk when a clip is the voice", async () => {
    const { pcm } = await model.speak({ ...BASE, transcript: SENTENCES[0] ?? "", trim: false });
    const clip = { kind: "clip", transcript: SENTENCES[0] ?? "", ...clipSamples(pcm) } as const;
    const result = await model.speak({ ...SHORT, references: [clip] });
    expect(textOf(result.chunks)).toBe(TEXT);
    const told = await model.speak({ ...SHORT, references: [clip], voiceConsistency: false });
    expect(told.codes).toEqual(result.codes);
  });
});

describe("a chunk that is cut off", () => {
  const cut = { ...BASE, transcript: SENTENCES.slice(0, 2).join(" "), maxNewTokens: 60 } as const;

  it("is divided until all of it is heard", async () => {
    const { chunks } = await model.speak({ ...cut, chunkMethod: "word", chunkMaxWordNum: 200 });
    expect(chunks.length).toBeGreaterThan(1);
    expect(textOf(chunks)).toBe(cut.transcript);
    expect(chunks.every(({ finished }) => finished === "eos")).toBe(true);
  });

  it("fails a request for one chunk, and is its result only where that is allowed", async () => {
    const one = {
      ...cut,
      transcript: SENTENCES[0] ?? "",
      chunkMethod: "none",
      maxNewTokens: 40,
      guard: false,
    } as const;
    await expect(model.speak(one)).rejects.toMatchObject({
      code: "AUDIO_TRUNCATED",
      message: expect.stringMatching(/max_new_tokens of 40 is reached/),
    });
    const { warnings, chunks } = await model.speak({ ...one, allowTruncated: true });
    expect(warnings).toEqual(["The audio is cut off: max_new_tokens of 40 is reached"]);
    expect(chunks).toMatchObject([{ finished: "length", frames: 31 }]);
  });
});

describe("the guard of a model whose speech is never good enough", () => {
  /** So short a text was never meant to take a frame. */
  const guardThresholds = { runawayFloorFrames: 0, runawayFramesPerToken: 1, runawayExpectedRatio: 1 };
  const request: SpeechRequest = { ...BASE, transcript: SENTENCES[0] ?? "", maxNewTokens: 300 };
  let strict: SpeechModel;
  beforeAll(async () => {
    strict = await loadDemo({ contextLength: 640, guardThresholds });
  });
  afterAll(async () => {
    await strict[Symbol.asyncDispose]();
  });

  it("has it spoken again when the seed was drawn, and keeps the best", async () => {
    const { progress, onProgress } = collectProgress();
    const { chunks, audioFrames } = await strict.speak({ ...request, retrySeeded: true }, { onProgress });
    const [chunk] = chunks;
    expect(chunk?.attempts).toBe(3);
    expect(chunk?.findings.map(({ code }) => code)).toContain("RUNAWAY");
    expect(chunk?.score).toBeLessThan(0.5);
    expect(progress.map(({ retries }) => retries).filter((own, index, all) => own !== all[index - 1])).toEqual([
      0, 1, 2,
    ]);
    expect(progress.at(-1)?.audioSeconds).toBe(audioFrames / 25);
  });

  it("only reports it when the seed was given, with the seed's own audio", async () => {
    const { chunks, codes } = await strict.speak(request);
    expect(chunks).toMatchObject([{ attempts: 1, findings: [{ code: "RUNAWAY", isBad: true }] }]);
    expect(codes).toEqual((await strict.speak({ ...request, guard: false })).codes);
  });

  it("does not begin again when the time is nearly over", async () => {
    const retried = { ...request, retrySeeded: true };
    expect((await strict.speak(retried, { deadlineAtMs: Date.now() })).chunks[0]?.attempts).toBe(1);
  });

  it("cannot take back what a listener has heard, but what waits for its chunk", async () => {
    // Speech that is shorter than the estimate is found at its end only.
    await using hasty = await loadDemo({ contextLength: 640, guardThresholds: { earlyStopExpectedRatio: 1 } });
    const retried = { ...request, retrySeeded: true };
    const parts: Float32Array[] = [];
    const onAudio = (pcm: Float32Array): void => void parts.push(pcm);
    const heard = await hasty.speak({ ...retried, lookaheadFrames: 0 }, { onAudio });
    expect(heard.chunks).toMatchObject([{ attempts: 1, findings: [{ code: "EARLY_STOP" }] }]);
    const ahead = await hasty.speak({ ...retried, lookaheadFrames: 600 }, { onAudio });
    expect(ahead.chunks[0]?.attempts).toBe(3);
    parts.length = 0;
    const stored = await hasty.speak(retried, { onAudio, audioParts: "exact" });
    expect(stored.chunks[0]?.attempts).toBe(3);
    const whole = await hasty.speak(retried);
    expect(whole.codes).toEqual(stored.codes);
    expect(isSame(concatenateSamples(parts), whole.pcm)).toBe(true);
  });

  it("stops within a frame of an abort in any attempt", async () => {
    const controller = new AbortController();
    const { progress, onProgress } = collectProgress();
    const speaking = strict.speak(
      { ...request, retrySeeded: true },
      {
        signal: controller.signal,
        onProgress: (item) => {
          onProgress(item);
          if (item.retries === 1) controller.abort();
        },
      },
    );
    await expect(speaking).rejects.toMatchObject({ code: "CANCELLED" });
    expect(progress.at(-1)).toMatchObject({ retries: 1, frames: 5 });
  });
});
