import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { loadGgml } from "@higgs-worker/ggml";
import { describe, expect, it, vi } from "vitest";
import { loadSmallModel, makePrompt, SMALL_SHAPES } from "../model/testing/small-models.ts";
import { ChunkRandom } from "./rng.ts";
import { Scheduler } from "./scheduler.ts";

/** No logit stands for the end, so that a sequence of random weights is as long as it may be. */
const CONFIG = { ...SMALL_SHAPES["rows of 32"], audioStreamEosId: SMALL_SHAPES["rows of 32"].idsPerCodebook };
const SAMPLED = { temperature: 1, topK: 20, topP: 0.95, rasWinLen: 7, rasWinMaxNumRepeat: 2 };

/** Sequences before the one that is watched: numbers live on the heap until their code is compiled. */
const WARM_UP_SEQUENCES = 10;
/** Between these frames the loop is watched; they are in one KV bucket. */
const FIRST_FRAME = 60;
const LAST_FRAME = 160;

/** Promises and lists of slots: about 9 kB. Copying the released model's logits once would be 33 kB. */
const MAX_HEAP_BYTES_PER_FRAME = 16_384;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

describe("the decode loop", () => {
  it("allocates nothing in ggml and next to nothing in JavaScript", async () => {
    const { model } = await loadSmallModel({ config: CONFIG, contextLength: 256, observer: undefined });
    const { native } = loadGgml();
    const allocations = (
      ["init", "newTensor4d", "newGraph", "gallocrNew", "gallocrAllocGraph", "allocCtxTensors"] as const
    ).map((name) => vi.spyOn(native, name));
    const calls = (): number => allocations.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    const seen = { calls: 0, heapBytes: 0 };
    const request = {
      sampling: SAMPLED,
      maxColumns: LAST_FRAME + 40,
      prompt: makePrompt(CONFIG, "T6 A3 T2"),
      columnsBefore: new Int32Array(0),
      uniforms: new ChunkRandom(1, 0),
    };
    const scheduler = new Scheduler(model);
    for (let sequence = 0; sequence < WARM_UP_SEQUENCES; sequence++) await scheduler.generate(request);
    await scheduler.generate(request, {
      onFrames: ({ end }) => {
        if (end === FIRST_FRAME) {
          collectGarbage();
          seen.calls = -calls();
          seen.heapBytes = -process.memoryUsage().heapUsed;
        }
        if (end === LAST_FRAME) {
          seen.heapBytes += process.memoryUsage().heapUsed;
          seen.calls += calls();
        }
      },
    });
    expect(calls()).toBeGreaterThan(0); // what is counted is what the model allocates with
    expect(seen.calls).toBe(0);
    expect(seen.heapBytes).toBeGreaterThan(0);
    expect(seen.heapBytes / (LAST_FRAME - FIRST_FRAME)).toBeLessThan(MAX_HEAP_BYTES_PER_FRAME);
  });
});
