import { expect } from "vitest";
import type { LanguageModel } from "../language-model.ts";
import type { PromptRows } from "../prompt-rows.ts";
import type { WeightSource } from "../weight-source.ts";
import { OracleModel, type OracleSequence } from "./oracle-model.ts";
import { largestError, traceOf } from "./small-models.ts";

/** Prefills a slot and compares the embedding and every layer of every position. */
export async function expectPrefill(
  model: LanguageModel,
  oracle: OracleSequence,
  prompt: PromptRows,
  tolerance: number,
): Promise<void> {
  const expected = await oracle.feedPrompt(prompt);
  expect(expected).toHaveLength(prompt.isAudio.length);
  await model.prefill(0, prompt);
  const trace = traceOf(model);
  for (const [position, { embedding, layers }] of expected.entries()) {
    const stages: [string, Float64Array][] = [["embeddings", embedding]];
    for (const [il, layer] of layers.entries()) stages.push([`layer.${il}`, layer]);
    for (const [stage, wanted] of stages) {
      expect(largestError(trace.rows(stage)[position] ?? [], wanted), `${stage} of ${position}`).toBeLessThan(
        tolerance,
      );
    }
  }
}

/** What one slot is fed in a step, and the sequence that gives the expected result. */
export interface SlotStep {
  readonly slot: number;
  readonly column: Int32Array;
  readonly oracle: OracleSequence;
}

/** One decode step of all given slots, the others idle. Returns the largest error of their logits. */
export async function stepError(
  model: LanguageModel,
  oracleModel: OracleModel,
  steps: readonly SlotStep[],
): Promise<number> {
  const longest = Math.max(...steps.map(({ oracle }) => oracle.length));
  const graph = model.decodeGraph(longest + 1);
  for (let slot = 0; slot < model.slots; slot++) graph.setIdle(slot);
  for (const { slot, column, oracle } of steps) graph.setSlot(slot, column, oracle.length);
  const logits = new Float32Array(model.logitsLength);
  await graph.compute(logits);
  const width = model.logitsLength / model.slots;
  const errors = steps.map(({ slot, column, oracle }) => {
    const { norm } = oracle.feedColumn(column);
    const hidden = traceOf(model)
      .last("norm")
      .subarray(slot * norm.length, (slot + 1) * norm.length);
    const ownLogits = logits.subarray(slot * width, (slot + 1) * width);
    return Math.max(largestError(hidden, norm), largestError(ownLogits, oracleModel.logits(norm)));
  });
  return Math.max(...errors);
}

/** Prompt and columns in slot 0, everything compared. */
export async function expectSequence(
  model: LanguageModel,
  source: WeightSource,
  { prompt, columns }: { prompt: PromptRows; columns: readonly Int32Array[] },
  tolerance: number,
): Promise<void> {
  const oracleModel = await OracleModel.read(source);
  const oracle = oracleModel.begin();
  await expectPrefill(model, oracle, prompt, tolerance);
  for (const column of columns) {
    const position = oracle.length;
    const error = await stepError(model, oracleModel, [{ slot: 0, column, oracle }]);
    expect(error, `decode step at position ${position}`).toBeLessThan(tolerance);
  }
}
