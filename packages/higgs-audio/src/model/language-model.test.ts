import { describe, expect, it } from "vitest";
import type { CheckpointLayout, HiggsConfig } from "../checkpoint/lm-config.ts";
import { listLmTensors } from "../checkpoint/lm-tensors.ts";
import { listLmManifest } from "../checkpoint/testing/released-manifests.ts";
import { makeTemporaryFolder } from "../checkpoint/testing/temporary-folder.ts";
import { writeLmCheckpoint } from "../checkpoint/testing/test-checkpoint.ts";
import { CheckpointWeightSource } from "./checkpoint-weight-source.ts";
import type { LanguageModel } from "./language-model.ts";
import type { PromptRows } from "./prompt-rows.ts";
import { expectPrefill, expectSequence, stepError } from "./testing/compare-with-oracle.ts";
import { OracleModel } from "./testing/oracle-model.ts";
import {
  largestError,
  loadModel,
  loadSmallModel,
  makeColumns,
  makePrompt,
  openSmallBackend,
  SMALL_SHAPES,
  traceOf,
} from "./testing/small-models.ts";
import { SeededWeightSource } from "./testing/seeded-weight-source.ts";

const EXACT = 1e-4;
const SHAPES = Object.entries(SMALL_SHAPES);

/** The last layer's output for each position of a prompt. */
async function hiddenStates(model: LanguageModel, prompt: PromptRows): Promise<Float32Array[]> {
  await model.prefill(0, prompt);
  const stage = `layer.${model.config.numHiddenLayers - 1}`;
  return traceOf(model).rows(stage).slice(0, prompt.isAudio.length);
}

/** Logits after each column, fed one by one behind what the slot holds. */
async function decode(model: LanguageModel, position: number, columns: readonly Int32Array[]): Promise<Float32Array[]> {
  const all: Float32Array[] = [];
  for (const [index, column] of columns.entries()) {
    const graph = model.decodeGraph(position + index + 1);
    graph.setSlot(0, column, position + index);
    const logits = new Float32Array(model.logitsLength);
    await graph.compute(logits);
    all.push(logits);
  }
  return all;
}

describe("LanguageModel against the oracle in Float64", () => {
  it.each(SHAPES)("prompts and steps: %s", async (_name, config) => {
    for (const [seed, runs] of ["T7", "T3 A4 T2 A5 T1", "A3 T4", "A2", "T1", "T1 A1 T1 A1 T1 A2 T1"].entries()) {
      const { model, source } = await loadSmallModel({ config, weights: { seed } });
      await expectSequence(
        model,
        source,
        { prompt: makePrompt(config, runs, seed), columns: makeColumns(config, 3, seed) },
        EXACT,
      );
    }
  });

  it.each([
    ["a run of columns over the end of the first piece", "T200 A60 T10 A5 T45"],
    ["pieces of one kind each", "T256 A256 T3"],
    ["exactly one piece", "T100 A156"],
  ])("prompts of several pieces: %s", async (_name, runs) => {
    const config = SMALL_SHAPES["heads wider than hidden"];
    const { model, source } = await loadSmallModel({ config, contextLength: 600 });
    await expectSequence(model, source, { prompt: makePrompt(config, runs), columns: makeColumns(config, 2) }, EXACT);
  });

  it("steps over the border between two KV lengths, 256 and 512", async () => {
    const config = SMALL_SHAPES["one KV head"];
    const { model, source } = await loadSmallModel({ config, contextLength: 600 });
    expect(model.decodeGraph(256).kvLength).toBe(256);
    expect(model.decodeGraph(257).kvLength).toBe(512);
    await expectSequence(
      model,
      source,
      { prompt: makePrompt(config, "T240 A11 T1"), columns: makeColumns(config, 10) },
      EXACT,
    );
  });

  it("fills a context that is not a bucket to the last position", async () => {
    const config = SMALL_SHAPES["one layer, one codebook"];
    const { model, source } = await loadSmallModel({ config, contextLength: 21 });
    expect(model.decodeGraph(21).kvLength).toBe(21);
    const sequence = { prompt: makePrompt(config, "T6 A3"), columns: makeColumns(config, 12) };
    await expectSequence(model, source, sequence, EXACT);
  });

  it.each(["boson", "native"] as const)("a checkpoint on disk, %s layout", async (layout) => {
    const config: HiggsConfig = { ...SMALL_SHAPES["heads wider than hidden"], layout };
    const backend = openSmallBackend();
    const source = new SeededWeightSource(backend.ggml, config, { seed: 3 });
    await using stored = await CheckpointWeightSource.open(writeSeeded(source, layout));
    expect(stored.config.ropeScaling.originalMaxPositionEmbeddings).toBe(layout === "boson" ? 8192 : 1024);
    const model = await loadModel(backend, stored);
    const sequence = { prompt: makePrompt(config, "T4 A3 T2"), columns: makeColumns(config, 3) };
    await expectSequence(model, source, sequence, EXACT);
  });

  it("f16 keys and values, within their precision", async () => {
    const config = SMALL_SHAPES["one KV head"];
    const { model, source } = await loadSmallModel({
      config,
      kvTypes: { keys: "f16", values: "f32" },
      contextLength: 300,
    });
    const sequence = { prompt: makePrompt(config, "T20 A30 T220"), columns: makeColumns(config, 4) };
    await expectSequence(model, source, sequence, 0.03);
  });

  it("q8_0 weights, within the precision of their 8-bit activations", async () => {
    const config = SMALL_SHAPES["rows of 32"];
    const { model, source } = await loadSmallModel({ config, weights: { format: "q8_0" } });
    expect(source.tensors.get("blk.0.attn_q.weight")?.type).toBe("q8_0");
    const sequence = { prompt: makePrompt(config, "T6 A5 T2"), columns: makeColumns(config, 4) };
    await expectSequence(model, source, sequence, 0.2);
  });
});

describe("what holds for any weights", () => {
  const config = SMALL_SHAPES["one KV head"];

  it("a clip in the prompt and the same columns as steps are one and the same", async () => {
    const { model } = await loadSmallModel({ config });
    const clip = makePrompt(config, "T5 A6");
    const columns = Array.from({ length: 6 }, (_, c) => clip.columnIds.subarray(c * 8, (c + 1) * 8));
    const last = makeColumns(config, 2);
    await model.prefill(0, clip);
    const afterPrompt = await decode(model, 11, last);
    await model.prefill(0, { ...clip, isAudio: new Uint8Array(5), columnIds: new Int32Array(0) });
    const afterSteps = (await decode(model, 5, [...columns, ...last])).slice(-2);
    for (const [index, logits] of afterPrompt.entries()) {
      expect(largestError(afterSteps[index] ?? [], logits)).toBeLessThan(EXACT);
    }
  });

  it("a position changes all that follow it and nothing before it", async () => {
    const { model } = await loadSmallModel({ config });
    const prompt = makePrompt(config, "T4 A3 T4");
    const other = { ...prompt, textIds: prompt.textIds.with(4, ((prompt.textIds[4] ?? 0) + 1) % config.vocabSize) };
    const [before, after] = [await hiddenStates(model, prompt), await hiddenStates(model, other)];
    const changes = before.map((row, position) => largestError(row, after[position] ?? []));
    expect(changes).toHaveLength(11);
    // Text row 4 is position 7, behind the clip.
    expect(changes.slice(0, 7)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(Math.min(...changes.slice(7))).toBeGreaterThan(0.01);
  });

  it("text and audio rows go through weights of their own", async () => {
    const prompt = makePrompt(config, "T3 A3");
    const { model } = await loadSmallModel({ config });
    const plain = await hiddenStates(model, prompt);
    for (const branch of ["text", "audio"] as const) {
      // Changes the last layer's MLP only, so that attention carries nothing over.
      const name = branch === "text" ? "blk.2.ffn_down.weight" : "blk.2.ffn_down_audio.weight";
      const changed = await loadSmallModel({
        config,
        weights: { change: (tensor, values) => tensor === name && values.fill(0) },
      });
      const states = await hiddenStates(changed.model, prompt);
      const changes = states.map((row, position) => largestError(row, plain[position] ?? []));
      const [textChange, audioChange] = [Math.max(...changes.slice(0, 3)), Math.max(...changes.slice(3))];
      expect(textChange > 0.1, `${branch} weights reach text`).toBe(branch === "text");
      expect(audioChange > 0.1, `${branch} weights reach audio`).toBe(branch === "audio");
    }
  });

  it("a step does not change with the length that its graph attends over", async () => {
    const { model, source } = await loadSmallModel({ config, contextLength: 600 });
    const oracleModel = await OracleModel.read(source);
    const oracle = oracleModel.begin();
    await expectPrefill(model, oracle, makePrompt(config, "T5 A2 T1"), EXACT);
    const [column = new Int32Array(8)] = makeColumns(config, 1);
    const steps: Float32Array[] = [];
    for (const length of [9, 300, 600]) {
      const graph = model.decodeGraph(length);
      const logits = new Float32Array(model.logitsLength);
      graph.setSlot(0, column, 8);
      await graph.compute(logits);
      steps.push(logits);
    }
    expect(largestError(steps[1] ?? [], steps[0] ?? [])).toBeLessThan(1e-5);
    expect(largestError(steps[2] ?? [], steps[0] ?? [])).toBeLessThan(1e-5);
    expect(await stepError(model, oracleModel, [{ slot: 0, column, oracle }])).toBeLessThan(EXACT);
  });
});

/** The seeded values as a checkpoint of a layout, in f32. */
function writeSeeded(source: SeededWeightSource, layout: CheckpointLayout): string {
  const { config } = source;
  const canonical = listLmTensors(config, layout);
  const tensors = [...listLmManifest(config, layout)].flatMap(([name, shape], index) => {
    const own = canonical[index];
    if (own === undefined || own.isOptional) return [];
    return [{ name, shape, dtype: "F32" as const, data: new Uint8Array(source.values(own.name).buffer) }];
  });
  return writeLmCheckpoint(makeTemporaryFolder(), layout, config, tensors);
}
