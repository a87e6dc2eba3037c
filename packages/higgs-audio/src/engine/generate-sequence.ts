import type { LanguageModel } from "../model/language-model.ts";
import { type GeneratedSequence, Sequence, type SequenceListeners, type SequenceRequest } from "./sequence.ts";

export type { GeneratedSequence, SequenceRequest } from "./sequence.ts";

export interface GenerateOptions extends SequenceListeners {
  /** Slot of the model's cache. */
  readonly slot?: number;
}

/**
 * Generates the codes of one sequence alone: prefill, then one decode step per column until the segment ends (spec model §13).
 * Nothing is allocated in ggml while it runs. An abort is noticed within one frame. `Scheduler` runs several side by side.
 *
 * @throws HiggsError CONTEXT_OVERFLOW when the prompt leaves no room; CANCELLED; GENERATION_FAILED when logits are not finite
 */
export async function generateSequence(
  model: LanguageModel,
  request: SequenceRequest,
  options: GenerateOptions = {},
): Promise<GeneratedSequence> {
  const sequence = new Sequence(model, options.slot ?? 0, request, options);
  const logits = new Float32Array(model.logitsLength);
  try {
    while (sequence.phase === "prefill") await sequence.prefillPiece();
    while (sequence.phase === "decode") {
      sequence.throwIfCancelled();
      const graph = model.decodeGraph(sequence.length);
      sequence.feed(graph);
      await graph.compute(logits);
      sequence.take(logits);
    }
  } catch (error) {
    sequence.abandon(error);
    throw error;
  }
  return sequence.result();
}
