import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collectProgress, isSame, loadDemo, speechRequest } from "./testing/demo-model.ts";
import type { SpeechModel, SpeechResult } from "./types.ts";

let model: SpeechModel;
let expected: SpeechResult;
beforeAll(async () => {
  model = await loadDemo();
  expected = await model.speak(speechRequest());
});
afterAll(async () => {
  await model[Symbol.asyncDispose]();
});

describe("requests that overlap", () => {
  it("are served in order, each as if it were alone", async () => {
    const spoken: number[] = [];
    const finished: number[] = [];
    const requests = [1, 2, 1].map(async (seed, index) => {
      const result = await model.speak(speechRequest({ seed }), { onProgress: () => void spoken.push(index) });
      finished.push(index);
      return result;
    });
    const [first, second, third] = await Promise.all(requests);
    expect(spoken).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
    expect(finished).toEqual([0, 1, 2]);
    expect(first?.codes).toEqual(expected.codes);
    expect(third?.codes).toEqual(expected.codes);
    expect(second?.codes).not.toEqual(expected.codes);
    // The time to the first audio counts from the call, the wait included.
    expect(third?.timings.firstAudioMs).toBeGreaterThan(second?.timings.firstAudioMs ?? Number.POSITIVE_INFINITY);
  });

  it("do not suffer from one that fails", async () => {
    const [failed, after] = await Promise.allSettled([
      model.speak(speechRequest({ transcript: "<|eot_id|>" })),
      model.speak(speechRequest()),
    ]);
    expect(failed).toMatchObject({ status: "rejected", reason: { code: "INVALID_INPUT" } });
    expect(after).toMatchObject({ status: "fulfilled", value: { codes: expected.codes } });
  });
});

describe("a model with two slots", () => {
  it("speaks two at a time, each as if it were alone", async () => {
    await using pair = await loadDemo({ slots: 2 });
    const requests = [1, 2, 3].map((seed) => speechRequest({ seed, maxNewTokens: 16 + 5 * seed }));
    const alone: SpeechResult[] = [];
    for (const request of requests) alone.push(await pair.speak(request));
    const spoken: number[] = [];
    const together = await Promise.all(
      requests.map((request, index) => pair.speak(request, { onProgress: () => void spoken.push(index) })),
    );
    for (const [index, { codes }] of together.entries()) expect(codes).toEqual(alone[index]?.codes);
    // The third waits for a slot; the first two take turns.
    expect(spoken.slice(0, 2)).toEqual([0, 1]);
    expect(spoken.indexOf(2)).toBeGreaterThan(spoken.lastIndexOf(0));
  });
});

describe("an abort", () => {
  it("while it speaks rejects with CANCELLED at once, and the model is as good as before", async () => {
    const controller = new AbortController();
    const { progress, onProgress } = collectProgress();
    const speaking = model.speak(speechRequest({ maxNewTokens: 300 }), {
      signal: controller.signal,
      onProgress: (item) => {
        onProgress(item);
        if (item.frames === 10) controller.abort();
      },
    });
    await expect(speaking).rejects.toMatchObject({ code: "CANCELLED" });
    expect(progress.map(({ frames }) => frames)).toEqual([5, 10]);
    expect(isSame((await model.speak(speechRequest())).pcm, expected.pcm)).toBe(true);
  });

  it("while the codes are decoded rejects too", async () => {
    const controller = new AbortController();
    // The last report comes when all frames are there.
    const onProgress = ({ frames }: { frames: number }) => void (frames === 11 && controller.abort());
    const speaking = model.speak(speechRequest(), { signal: controller.signal, onProgress });
    await expect(speaking).rejects.toMatchObject({ code: "CANCELLED" });
    expect(isSame((await model.speak(speechRequest())).pcm, expected.pcm)).toBe(true);
  });

  it("between two chunks stops the second", async () => {
    const controller = new AbortController();
    const { progress, onProgress } = collectProgress();
    const request = speechRequest({
      transcript: "The sun is warm. The sky is blue.",
      chunkMethod: "word",
      chunkMaxWordNum: 4,
    });
    const speaking = model.speak(request, {
      signal: controller.signal,
      onProgress: (item) => {
        onProgress(item);
        if (item.frames === 11) controller.abort();
      },
    });
    await expect(speaking).rejects.toMatchObject({ code: "CANCELLED" });
    expect(progress.map(({ chunkIndex }) => chunkIndex)).toEqual([0, 0, 0]);
  });

  it("while it waits for its turn, or before, speaks nothing", async () => {
    const controller = new AbortController();
    const { progress, onProgress } = collectProgress();
    const running = model.speak(speechRequest());
    const waiting = model.speak(speechRequest(), { signal: controller.signal, onProgress });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
    expect((await running).codes).toEqual(expected.codes);
    await expect(model.speak(speechRequest(), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "CANCELLED",
    });
    expect(progress).toEqual([]);
  });
});

describe("disposal", () => {
  it("waits for what is running and waiting, happens once, and ends the model", async () => {
    const other = await loadDemo();
    const events: string[] = [];
    const requests = [1, 2].map(async (seed) => {
      await other.speak(speechRequest({ seed }));
      events.push(`request ${seed}`);
    });
    const disposals = [1, 2].map(async () => {
      await other[Symbol.asyncDispose]();
      events.push("disposal");
    });
    await Promise.all([...requests, ...disposals]);
    expect(events).toEqual(["request 1", "request 2", "disposal", "disposal"]);
    await expect(other.speak(speechRequest())).rejects.toMatchObject({ code: "INTERNAL" });
  });
});
