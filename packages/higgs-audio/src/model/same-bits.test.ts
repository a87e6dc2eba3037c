import { describe, expect, it } from "vitest";
import type { WeightFormat } from "../checkpoint/weight-format.ts";
import { SMALL_HIGGS_CONFIG } from "../checkpoint/testing/test-checkpoint.ts";
import { servedKvTypes } from "./kv-cache.ts";
import type { LanguageModel } from "./language-model.ts";
import { loadSmallModel, makeColumns, makePrompt } from "./testing/small-models.ts";

/** Rows of several blocks of 256: with one block there is one order only in which a product can be added up. */
const CONFIG = {
  ...SMALL_HIGGS_CONFIG,
  hiddenSize: 768,
  intermediateSize: 1024,
  numAttentionHeads: 6,
  numKeyValueHeads: 2,
  headDim: 128,
};
const PROMPT = makePrompt(CONFIG, "T5 A4 T2");
const POSITION = PROMPT.isAudio.length;
const COLUMNS = makeColumns(CONFIG, 8);

async function load(format: WeightFormat | "f32", slots: number): Promise<LanguageModel> {
  const { model } = await loadSmallModel({
    config: CONFIG,
    weights: { format },
    slots,
    kvTypes: servedKvTypes({ kind: "cpu" }),
    observer: undefined,
  });
  for (let slot = 0; slot < slots; slot++) await model.prefill(slot, PROMPT);
  return model;
}

/** Logits of one step in which each of the first slots feeds a column of its own. */
async function step(model: LanguageModel, columns: readonly Int32Array[]): Promise<Float32Array[]> {
  const graph = model.decodeGraph(POSITION + 1, columns.length);
  for (const [slot, column] of columns.entries()) graph.setSlot(slot, column, POSITION);
  const logits = new Float32Array(model.logitsLength);
  await graph.compute(logits);
  const width = model.logitsLength / model.slots;
  return columns.map((_, slot) => logits.slice(slot * width, (slot + 1) * width));
}

describe("the logits of a step are the same bits alone and beside others", () => {
  it.each(["f32", "bf16", "q8_0", "q4_k"] as const)("with %s weights", async (format) => {
    const lone = await load(format, 1);
    const alone: Float32Array[] = [];
    for (const column of COLUMNS) alone.push(...(await step(lone, [column])));
    const model = await load(format, COLUMNS.length);
    for (const count of [1, 2, 4, 8]) {
      expect(await step(model, COLUMNS.slice(0, count)), `${count} slots`).toEqual(alone.slice(0, count));
    }
  });
});
