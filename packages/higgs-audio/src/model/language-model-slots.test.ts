import { describe, expect, it } from "vitest";
import type { LanguageModelOptions } from "./language-model.ts";
import { expectPrefill, stepError } from "./testing/compare-with-oracle.ts";
import { OracleModel } from "./testing/oracle-model.ts";
import { largestError, loadSmallModel, makeColumns, makePrompt, SMALL_SHAPES } from "./testing/small-models.ts";

const EXACT = 1e-4;
const config = SMALL_SHAPES["heads wider than hidden"];

async function loadSlots(slots: number, contextLength = 80, options: Partial<LanguageModelOptions> = {}) {
  const { model, source } = await loadSmallModel({ config, slots, contextLength, ...options });
  const oracle = await OracleModel.read(source);
  /** Puts a prompt into a slot, and into an oracle sequence. */
  const begin = async (slot: number, runs: string, seed: number) => {
    const prompt = makePrompt(config, runs, seed);
    await model.prefill(slot, prompt);
    const sequence = oracle.begin();
    await sequence.feedPrompt(prompt);
    const columns = makeColumns(config, 20, seed);
    return () => ({ slot, oracle: sequence, column: columns.shift() ?? new Int32Array(0) });
  };
  const step = (steps: Parameters<typeof stepError>[2]) => stepError(model, oracle, steps);
  return { model, oracle, begin, step };
}

describe("LanguageModel with several slots", () => {
  it("each of two sequences goes on as it does alone", async () => {
    const { begin, step } = await loadSlots(2);
    const first = await begin(0, "T9 A4 T1", 1);
    const second = await begin(1, "T3", 2);
    for (let n = 0; n < 5; n++) expect(await step([first(), second()])).toBeLessThan(EXACT);
  });

  it("a head that is padded to a multiple of rows gives the same logits, alone and in a batch", async () => {
    // 3 codebooks of 12 ids: 36 rows become 64.
    expect((config.numCodebooks * config.idsPerCodebook) % 32).not.toBe(0);
    const plain = await loadSlots(3);
    const { model, begin, step } = await loadSlots(3, 80, { headRowMultiple: 32 });
    expect(model.weightBytes).toBeGreaterThan(plain.model.weightBytes);
    expect(model.logitsLength).toBe(plain.model.logitsLength);
    const first = await begin(0, "T9 A4 T1", 1);
    expect(await step([first()])).toBeLessThan(EXACT);
    const second = await begin(1, "T3", 2);
    const third = await begin(2, "A5 T2", 3);
    for (let n = 0; n < 3; n++) expect(await step([first(), second(), third()])).toBeLessThan(EXACT);
  });

  it("sequences join and leave while others go on", async () => {
    const { begin, step } = await loadSlots(3);
    const a = await begin(0, "T4 A2 T1", 1);
    expect(await step([a()])).toBeLessThan(EXACT);
    const c = await begin(2, "T12", 3);
    expect(await step([a(), c()])).toBeLessThan(EXACT);
    const b = await begin(1, "A5 T2", 2);
    expect(await step([a(), b(), c()])).toBeLessThan(EXACT);
    expect(await step([b()])).toBeLessThan(EXACT);
    expect(await step([c(), b()])).toBeLessThan(EXACT);
    expect(await step([a(), c()])).toBeLessThan(EXACT);
  });

  it("an idle slot is not touched by the steps of the others", async () => {
    const { begin, step } = await loadSlots(2);
    const stepping = await begin(0, "T5", 1);
    const waiting = await begin(1, "T30 A8 T2", 2);
    for (let n = 0; n < 4; n++) expect(await step([stepping()])).toBeLessThan(EXACT);
    for (let n = 0; n < 2; n++) expect(await step([waiting()])).toBeLessThan(EXACT);
  });

  it("a slot that gets a new prompt is idle until it is set again, even without a call that says so", async () => {
    const { model, begin, step } = await loadSlots(2);
    const old = await begin(1, "T6", 1);
    const other = await begin(0, "T4", 2);
    expect(await step([old(), other()])).toBeLessThan(EXACT);
    const fresh = await begin(1, "T20 A3", 3);
    // The graph still knows slot 1's last column, which belonged to position 6.
    const { column, oracle } = other();
    const graph = model.decodeGraph(30);
    graph.setSlot(0, column, oracle.length);
    await graph.compute(new Float32Array(model.logitsLength));
    expect(await step([fresh()])).toBeLessThan(EXACT);
  });

  it("a slot forgets what it held, longer or shorter", async () => {
    const { begin, step } = await loadSlots(2);
    for (const [seed, runs] of ["T40 A6 T2", "T2", "T11 A3", "A1"].entries()) {
      const next = await begin(1, runs, seed);
      for (let n = 0; n < 3; n++) expect(await step([next()])).toBeLessThan(EXACT);
    }
  });

  it("slots of different length share the graph of the longest", async () => {
    const { model, begin, step } = await loadSlots(2, 600);
    const long = await begin(0, "T250 A4 T1", 1);
    const short = await begin(1, "T3", 2);
    for (let n = 0; n < 4; n++) expect(await step([long(), short()])).toBeLessThan(EXACT);
    expect(model.decodeGraph(259).kvLength).toBe(512);
  });

  it("a prompt goes in piece by piece while others step", async () => {
    const { model, oracle, begin, step } = await loadSlots(2);
    const speaking = await begin(0, "T5 A2 T1", 1);
    const prompt = makePrompt(config, "T13 A9 T11", 2);
    const pieces = model.beginPrefill(1, prompt);
    for (const rows of [4, 10, 1, 7, 11]) {
      await model.prefillPiece(1, pieces.take(rows));
      expect(await step([speaking()])).toBeLessThan(EXACT);
    }
    expect(pieces.isDone).toBe(true);
    const sequence = oracle.begin();
    await sequence.feedPrompt(prompt);
    for (const column of makeColumns(config, 3)) {
      expect(await step([speaking(), { slot: 1, column, oracle: sequence }])).toBeLessThan(EXACT);
    }
  });

  it("the beginning of a prompt may be copied from another slot instead of being computed", async () => {
    const { model, oracle, begin, step } = await loadSlots(3);
    await begin(0, "T6", 1);
    const prompt = makePrompt(config, "T9 A5 T7", 2);
    await model.prefill(2, prompt);
    const saved = model.savePrefix(2, 12);
    await begin(2, "A20", 3);
    const neighbor = await begin(0, "T4 A2", 4);
    const pieces = model.beginPrefill(1, prompt);
    pieces.take(12);
    model.restorePrefix(1, 12, saved);
    await model.prefillPiece(1, pieces.take(100));
    const sequence = oracle.begin();
    await sequence.feedPrompt(prompt);
    for (const column of makeColumns(config, 3)) {
      expect(await step([neighbor(), { slot: 1, column, oracle: sequence }])).toBeLessThan(EXACT);
    }
  });

  it("values that are not finite spoil their own sequence only", async () => {
    // Text id 0 has an embedding of NaN.
    const isBroken = (name: string): boolean => name === "token_embd.weight";
    const { model, source } = await loadSmallModel({
      config,
      slots: 2,
      contextLength: 120,
      weights: { change: (name, values) => isBroken(name) && values.fill(Number.NaN, 0, config.hiddenSize) },
    });
    const oracle = await OracleModel.read(source);
    const healthy = makePrompt(config, "A6");
    const [column = new Int32Array(0)] = makeColumns(config, 1);
    const sequence = oracle.begin();
    await sequence.feedPrompt(healthy);
    await model.prefill(0, { ...makePrompt(config, "T110"), textIds: new Int32Array(110) });
    await model.prefill(1, healthy);
    const graph = model.decodeGraph(111);
    graph.setSlot(0, column, 110);
    graph.setSlot(1, column, 6);
    const logits = new Float32Array(model.logitsLength);
    await graph.compute(logits);
    expect(logits.subarray(0, logits.length / 2).every(Number.isNaN)).toBe(true);
    const expected = oracle.logits(sequence.feedColumn(column).norm);
    expect(largestError(logits.subarray(logits.length / 2), expected)).toBeLessThan(EXACT);
    // Nor, once it is cleared, do the slot's later sequences suffer, of few rows or many.
    model.clearSlot(0);
    for (const runs of ["A2", "A70", "A90"]) {
      const next = oracle.begin();
      await expectPrefill(model, next, makePrompt(config, runs), EXACT);
      expect(await stepError(model, oracle, [{ slot: 0, column, oracle: next }]), runs).toBeLessThan(EXACT);
    }
    expect(await stepError(model, oracle, [{ slot: 1, column, oracle: sequence }])).toBeLessThan(EXACT);
  });

  it("the first prompt of a slot is measured too", async () => {
    const { model, source } = await loadSmallModel({ config, slots: 1, contextLength: 8 });
    const oracle = await OracleModel.read(source);
    await expectPrefill(model, oracle.begin(), makePrompt(config, "T4 A4"), EXACT);
    await expect(model.prefill(0, makePrompt(config, "T5 A4"))).rejects.toMatchObject({ code: "CONTEXT_OVERFLOW" });
  });
});
