import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clipSamples } from "../voices/clip-samples.ts";
import { loadTextTokenizer } from "../tokenizer/text-tokenizer.ts";
import { collectProgress, DEMO_CHECKPOINT, isSame, loadDemo, speechRequest } from "./testing/demo-model.ts";
import type { SpeechRequest } from "./speech-request.ts";
import type { SpeechModel, SpeechResult } from "./types.ts";

const GREEDY = { temperature: 0, topK: 0, topP: 1, rasWinLen: 0, rasWinMaxNumRepeat: 0 };
const TWO_CHUNKS = {
  transcript: "The sun is warm. The sky is blue.",
  chunkMethod: "word",
  chunkMaxWordNum: 4,
} as const;
const SAMPLES_PER_FRAME = 960;

let model: SpeechModel;
beforeAll(async () => {
  model = await loadDemo();
});
afterAll(async () => {
  await model[Symbol.asyncDispose]();
});

const speak = (overrides: Partial<SpeechRequest> = {}): Promise<SpeechResult> => model.speak(speechRequest(overrides));

describe("speak()", () => {
  it("speaks until the model ends, and says what it did", async () => {
    const result = await speak({ transcript: "The sun is warm，and the sky is blue。", maxNewTokens: 200 });
    expect(result.text).toBe("The sun is warm, and the sky is blue.");
    expect(result.warnings).toEqual([]);
    expect(result.chunkCount).toBe(1);
    expect(result.sampleRateHz).toBe(24_000);
    expect(result.audioFrames).toBeGreaterThan(20);
    expect(result.codes).toHaveLength(8);
    for (const row of result.codes) expect(row).toHaveLength(result.audioFrames);
    expect(Math.min(...result.codes.flatMap((row) => [...row]))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...result.codes.flatMap((row) => [...row]))).toBeLessThan(1024);
    expect(result.pcm).toHaveLength(result.audioFrames * SAMPLES_PER_FRAME);
    expect(result.pcm.every(Number.isFinite)).toBe(true);
    const { prefillMs, generateMs, decodeMs, firstAudioMs, totalMs } = result.timings;
    expect(Math.min(prefillMs, generateMs, decodeMs)).toBeGreaterThan(0);
    expect(prefillMs + generateMs + decodeMs).toBeLessThanOrEqual(totalMs);
    expect(firstAudioMs).toBeGreaterThan(prefillMs);
    expect(firstAudioMs).toBeLessThanOrEqual(totalMs);
  });

  it("one seed gives one audio, another seed another", async () => {
    const [a, b, c] = [await speak({ seed: 3 }), await speak({ seed: 3 }), await speak({ seed: 4 })];
    expect(b.codes).toEqual(a.codes);
    expect(isSame(b.pcm, a.pcm)).toBe(true);
    expect(c.codes).not.toEqual(a.codes);
  });

  it("is the same for any seed when greedy", async () => {
    const [a, b] = [await speak({ seed: 3, sampling: GREEDY }), await speak({ seed: 4, sampling: GREEDY })];
    expect(b.codes).toEqual(a.codes);
    expect((await speak({ seed: 3 })).codes).not.toEqual(a.codes);
  });

  it("hears the reference clip: its columns are in the prompt, and other codes come out", async () => {
    const plain = await speak();
    const { pcm } = await speak({ seed: 9 });
    const clip = { kind: "clip", transcript: "The sun is warm.", ...clipSamples(pcm) } as const;
    const spoken = await speak({ references: [clip] });
    // Without a scene a reference stands in for the system message; T frames are T + 9 columns.
    const tokenizer = await loadTextTokenizer(DEMO_CHECKPOINT);
    const header = (role: string) => `<|start_header_id|>${role}<|end_header_id|>\n\n`;
    const clipTurns = countIds(tokenizer, `${header("user")}The sun is warm.<|eot_id|>`, audioTurn());
    const systemTurn = countIds(tokenizer, `${header("system")}Generate audio following instruction.<|eot_id|>`);
    expect(spoken.promptTokens - plain.promptTokens).toBe(clipTurns + 11 + 9 - systemTurn);
    expect(spoken.codes).not.toEqual(plain.codes);
  });

  it("refuses what it cannot speak before it computes anything", async () => {
    for (const overrides of [
      { transcript: "", normalize: false, chunkMethod: "speaker" as const },
      { transcript: "Hello <|eot_id|> world." },
      { maxNewTokens: 0 },
      { sampling: { ...GREEDY, topP: 0 } },
      { sampling: { ...GREEDY, topK: 2000 } },
      { ...TWO_CHUNKS, chunkMaxWordNum: 0 },
      { generationChunkBufferSize: -1 },
      { seed: -1 },
    ]) {
      const { progress, onProgress } = collectProgress();
      const speaking = model.speak(speechRequest(overrides), { onProgress });
      await expect(speaking, JSON.stringify(overrides)).rejects.toMatchObject({ code: "INVALID_INPUT" });
      expect(progress).toEqual([]);
    }
  });

  it("fails with CONTEXT_OVERFLOW when the text alone fills the context", async () => {
    const transcript = "The sun is warm and the sky is blue. ".repeat(40);
    await expect(speak({ transcript })).rejects.toMatchObject({ code: "CONTEXT_OVERFLOW" });
  });

  it("never succeeds without audio", async () => {
    // 9 columns do not make a frame, 10 make one.
    await expect(speak({ maxNewTokens: 9 })).rejects.toMatchObject({
      code: "GENERATION_FAILED",
      message: expect.stringMatching(/got 0 frames/),
    });
    expect((await speak({ maxNewTokens: 10 })).pcm).toHaveLength(SAMPLES_PER_FRAME);
  });
});

describe("audio that is cut off", () => {
  it("by max_new_tokens comes with a warning", async () => {
    const { audioFrames, warnings } = await speak({ maxNewTokens: 25 });
    expect(audioFrames).toBe(25 - 9);
    expect(warnings).toEqual(["The audio is cut off: max_new_tokens of 25 is reached"]);
  });

  it("by the context comes with another", async () => {
    const { promptTokens } = await speak();
    const contextLength = promptTokens + 33;
    await using small = await loadDemo({ contextLength });
    const { audioFrames, warnings } = await small.speak(speechRequest({ maxNewTokens: 2048 }));
    expect(audioFrames).toBe(33 - 9);
    expect(warnings).toEqual([`The audio is cut off: the context of ${contextLength} positions is full`]);
  });

  it("says in which chunks", async () => {
    expect((await speak(TWO_CHUNKS)).warnings).toEqual([
      "The audio is cut off in chunk 1 of 2: max_new_tokens of 20 is reached",
      "The audio is cut off in chunk 2 of 2: max_new_tokens of 20 is reached",
    ]);
  });
});

describe("progress", () => {
  it("grows up to the whole audio, chunk by chunk", async () => {
    const { progress, onProgress } = collectProgress();
    const { audioFrames } = await model.speak(speechRequest({ ...TWO_CHUNKS, maxNewTokens: 26 }), { onProgress });
    expect(audioFrames).toBe(34);
    expect(progress.map(({ chunkIndex, frames }) => [chunkIndex, frames])).toEqual([
      ...[5, 10, 15, 17].map((frames) => [0, frames]),
      ...[5, 10, 15, 17].map((frames) => [1, frames]),
    ]);
    expect(progress.map(({ audioSeconds }) => audioSeconds)).toEqual(
      [5, 10, 15, 17, 22, 27, 32, 34].map((frames) => frames / 25),
    );
    const elapsed = progress.map(({ elapsedMs }) => elapsedMs);
    expect(elapsed).toEqual([...elapsed].sort((a, b) => a - b));
    expect(progress.every(({ chunkCount }) => chunkCount === 2)).toBe(true);
  });

  it("says the last frame once when it falls on a step", async () => {
    const { progress, onProgress } = collectProgress();
    await model.speak(speechRequest({ maxNewTokens: 19 }), { onProgress });
    expect(progress.map(({ frames }) => frames)).toEqual([5, 10]);
  });
});

describe("several chunks", () => {
  it("are spoken one after the other, the first as it would be alone", async () => {
    const whole = await speak({ ...TWO_CHUNKS, maxNewTokens: 150 });
    const first = await speak({ transcript: "The sun is warm.", maxNewTokens: 150 });
    expect(whole.chunkCount).toBe(2);
    expect(whole.warnings).toEqual([]);
    expect(whole.text).toBe("The sun is warm. The sky is blue.");
    expect(whole.audioFrames).toBeGreaterThan(first.audioFrames + 10);
    expect(whole.codes.map((row) => row.slice(0, first.audioFrames))).toEqual(first.codes);
    expect(whole.pcm).toHaveLength(whole.audioFrames * SAMPLES_PER_FRAME);
    const boundary = first.audioFrames / 25;
    expect(whole.chunks).toMatchObject([
      { text: "The sun is warm.", startSeconds: 0, endSeconds: boundary, frames: first.audioFrames, finished: "eos" },
      { text: "The sky is blue.\n\n", startSeconds: boundary, endSeconds: whole.audioFrames / 25, attempts: 1 },
    ]);
  });

  it("by speaker are turns", async () => {
    const transcript = "[SPEAKER0] The sun is warm.\n[SPEAKER1] The sky is blue.";
    const { chunkCount, audioFrames } = await speak({ transcript, chunkMethod: "speaker" });
    expect(chunkCount).toBe(2);
    expect(audioFrames).toBe(22);
    expect((await speak({ transcript })).chunkCount).toBe(1);
  });

  it("remember the last chunks only, when told so", async () => {
    const three = {
      transcript: "The sun is warm. The sky is blue. The boy went home.",
      chunkMethod: "word",
      chunkMaxWordNum: 4,
    } as const;
    const all = await speak({ ...three, generationChunkBufferSize: null });
    const one = await speak({ ...three, generationChunkBufferSize: 1 });
    const two = await speak({ ...three, generationChunkBufferSize: 2 });
    // The third prompt lacks the first chunk's two turns, which hold 11 frames as 20 columns.
    const tokenizer = await loadTextTokenizer(DEMO_CHECKPOINT);
    const userTurn = "<|start_header_id|>user<|end_header_id|>\n\nThe sun is warm.<|eot_id|>";
    expect(all.promptTokens - one.promptTokens).toBe(countIds(tokenizer, userTurn, audioTurn()) + 20);
    expect(two.promptTokens).toBe(all.promptTokens);
    expect(two.codes).toEqual(all.codes);
    // Up to the third chunk nothing differs.
    expect(one.codes.map((row) => row.slice(0, 22))).toEqual(all.codes.map((row) => row.slice(0, 22)));
    expect(one.codes).not.toEqual(all.codes);
    // As in the reference, 0 keeps all.
    expect((await speak({ ...three, generationChunkBufferSize: 0 })).codes).toEqual(all.codes);
  });
});

/** Ids of texts that are tokenized apart. */
function countIds(tokenizer: { encode(text: string): number[] }, ...texts: string[]): number {
  return texts.reduce((sum, text) => sum + tokenizer.encode(text).length, 0);
}

/** A spoken turn without its columns. */
function audioTurn(): string {
  return "<|start_header_id|>assistant<|end_header_id|>\n\n<|audio_out_bos|><|audio_eos|><|eot_id|>";
}
