import { GgmlError, TensorArena } from "@higgs-worker/ggml";
import { afterEach, expect, it, vi } from "vitest";
import { CodecDecoder } from "../codec/codec-decoder.ts";
import { LanguageModel } from "../model/language-model.ts";
import { readHostMemory } from "../model/host-memory.ts";
import { type LoadSpeechModelOptions, loadSpeechModel } from "./load-speech-model.ts";
import { planMemory } from "./memory-plan.ts";
import { demoOptions, speechRequest } from "./testing/demo-model.ts";

const CONTEXT_LENGTH = 512;

afterEach(() => void vi.restoreAllMocks());

/** Loads the demo checkpoint with short caches, and keeps what is said of it. */
async function load(options: Partial<LoadSpeechModelOptions>) {
  const warnings: string[] = [];
  const told: number[] = [];
  const log = (level: string, message: string) => void (level === "warn" && warnings.push(message));
  const onFewerSlots = (slots: number) => void told.push(slots);
  const model = await loadSpeechModel({
    ...demoOptions(),
    contextLength: CONTEXT_LENGTH,
    log,
    onFewerSlots,
    ...options,
  });
  return { model, warnings, told };
}

function noRoom(): GgmlError {
  return new GgmlError("allocation-failed", "allocate tensors on CPU", "too little memory");
}

/** Refuses caches for more than so many slots. */
function limitCache(slots: number): void {
  const allocate = Reflect.get(TensorArena.prototype, "allocate");
  vi.spyOn(TensorArena.prototype, "allocate").mockImplementation(function (this: TensorArena, ...args) {
    const rows = this.has("cache_k-0") ? this.tensor("cache_k-0").shape[1] : 0;
    if (rows > slots * CONTEXT_LENGTH + 1) throw noRoom();
    allocate.apply(this, args);
  });
}

it("takes as many slots as the plan for this machine has", async () => {
  const { model, warnings } = await load({ slots: "auto" });
  await using loaded = model;
  const { slots, info } = loaded;
  const { needs, room } = info.memoryPlan;
  expect(slots).toBe(planMemory(needs, room, "auto").slots);
  expect(room.totalBytes).toBe(readHostMemory().totalBytes);
  expect(warnings).toEqual([]);
});

it("goes on with half of the slots when there is no memory for their cache, and says so", async () => {
  limitCache(3);
  const { model, warnings, told } = await load({ slots: 6 });
  await using loaded = model;
  expect(loaded.slots).toBe(3);
  expect(loaded.info.memoryPlan.slots).toBe(6);
  expect(told).toEqual([3]);
  expect(warnings).toEqual([expect.stringContaining("going on with 3 slots (half of them)")]);
  const request = speechRequest({ transcript: "The sun is warm.", maxNewTokens: 20 });
  const results = await Promise.all([loaded.speak(request), loaded.speak(request)]);
  expect(results.map(({ audioFrames }) => audioFrames > 0)).toEqual([true, true]);
});

it("does so too when there is none for the codec beside them", async () => {
  vi.spyOn(CodecDecoder, "load").mockRejectedValueOnce(noRoom());
  const { model, told } = await load({ slots: 2 });
  await using loaded = model;
  expect(loaded.slots).toBe(1);
  expect(told).toEqual([1]);
});

it("does so only once", async () => {
  limitCache(1);
  await expect(load({ slots: 4 })).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
  vi.restoreAllMocks();
  limitCache(2);
  vi.spyOn(CodecDecoder, "load").mockRejectedValueOnce(noRoom());
  await expect(load({ slots: 4 })).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
});

it("gives up slots while it speaks, without an error for anybody", async () => {
  const { model, told } = await load({ slots: 4 });
  await using loaded = model;
  const request = speechRequest({ transcript: "The sun is warm.", maxNewTokens: 30, allowTruncated: true });
  const alone = await loaded.speak(request);
  const decodeGraph = Reflect.get(LanguageModel.prototype, "decodeGraph");
  let steps = 0;
  vi.spyOn(LanguageModel.prototype, "decodeGraph").mockImplementation(function (this: LanguageModel, ...args) {
    if (++steps === 12) throw noRoom();
    return decodeGraph.apply(this, args);
  });
  const together = await Promise.all(Array.from({ length: 5 }, () => loaded.speak(request)));
  for (const { codes } of together) expect(codes).toEqual(alone.codes);
  expect(loaded.slots).toBe(2);
  expect(told).toEqual([2]);
});
