import { expect } from "vitest";
import type { LanguageModel } from "../language-model.ts";
import type { PromptRows } from "../prompt-rows.ts";
import type { WeightSource } from "../weight-source.ts";
import { ReferenceModel, type ReferencePosition, type ReferenceSequence } from "./reference-model.ts";
import { largestError } from "./small-models.ts";

/** Prefills a slot and compares the embedding, every layer and the final norm of every position. */
export async function expectPrefill(
  model: LanguageModel,
  reference: ReferenceSequence,
  prompt: PromptRows,
  tolerance: number,
): Promise<void> {
  const expected = await reference.feedPrompt(prompt);
  const traced: number[] = [];
  for await (const { embeddings, layers, norm } of model.prefillTraced(0, prompt)) {
    const positions = expected.slice(traced.length, traced.length + norm.length / model.config.hiddenSize);
    const stage = (name: string, actual: Float32Array, pick: (position: ReferencePosition) => Float64Array): void => {
      const wanted = positions.flatMap((position) => [...pick(position)]);
      expect(largestError(actual, wanted), `${name} from position ${traced.length} on`).toBeLessThan(tolerance);
    };
    stage("embeddings", embeddings, (position) => position.embedding);
    for (const [il, layer] of layers.entries()) {
      stage(`layer ${il}`, layer, (position) => position.layers[il] ?? new Float64Array(0));
    }
    stage("norm", norm, (position) => position.norm);
    traced.push(...positions.keys());
  }
  expect(traced).toHaveLength(prompt.isAudio.length);
}

/** What one slot is fed in a step, and the sequence that tells what must come out. */
export interface SlotStep {
  readonly slot: number;
  readonly column: Int32Array;
  readonly reference: ReferenceSequence;
}

/** One decode step of all given slots, the others idle. Returns the largest error of their logits. */
export async function stepError(
  model: LanguageModel,
  referenceModel: ReferenceModel,
  steps: readonly SlotStep[],
): Promise<number> {
  const longest = Math.max(...steps.map(({ reference }) => reference.length));
  const graph = model.decodeGraph(longest + 1);
  for (let slot = 0; slot < model.slots; slot++) graph.setIdle(slot);
  for (const { slot, column, reference } of steps) graph.setSlot(slot, column, reference.length);
  const logits = new Float32Array(model.logitsLength);
  await graph.compute(logits);
  const width = model.logitsLength / model.slots;
  const errors = steps.map(({ slot, column, reference }) => {
    const { norm } = reference.feedColumn(column);
    const hidden = graph.hiddenState().subarray(slot * norm.length, (slot + 1) * norm.length);
    const ownLogits = logits.subarray(slot * width, (slot + 1) * width);
    return Math.max(largestError(hidden, norm), largestError(ownLogits, referenceModel.logits(norm)));
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
  const referenceModel = await ReferenceModel.read(source);
  const reference = referenceModel.begin();
  await expectPrefill(model, reference, prompt, tolerance);
  for (const column of columns) {
    const position = reference.length;
    const error = await stepError(model, referenceModel, [{ slot: 0, column, reference }]);
    expect(error, `decode step at position ${position}`).toBeLessThan(tolerance);
  }
}
