import { HiggsError } from "@higgs-worker/errors";
import { throwIfCancelled } from "../checkpoint/checkpoint-error.ts";
import type { LanguageModel } from "../model/language-model.ts";
import type { PromptRows } from "../model/prompt-rows.ts";
import { ColumnDecoder, type FinishReason } from "./column-decoder.ts";
import type { HistoryClip } from "./column-history.ts";
import type { GenerationOptions } from "./generation-options.ts";
import type { UniformSource } from "./rng.ts";
import { Sampler } from "./sampling/sampler.ts";

/** One prompt and how to go on from it. The prompt ends with `<|audio_out_bos|>`. */
export interface SequenceRequest extends GenerationOptions {
  readonly prompt: PromptRows;
  /** The prompt's clips, at which RAS looks back. */
  readonly clips: readonly HistoryClip[];
  readonly uniforms: UniformSource;
}

export interface GenerateOptions {
  /** Slot of the model's cache. */
  readonly slot?: number;
  readonly signal?: AbortSignal;
  /** Called when frames `first` … `end` − 1 have become certain: they are the result's, whatever follows. */
  readonly onFrames?: (frames: {
    readonly first: number;
    readonly end: number;
    readonly decoder: ColumnDecoder;
  }) => void;
}

export interface GeneratedSequence {
  /** `codes[codebook][frame]`, un-delayed and trimmed, values 0 … 1023. */
  readonly codes: readonly Int32Array[];
  readonly finished: FinishReason;
  /** As the model made them, the all-BOS column included: `columns[column * numCodebooks + codebook]`. */
  readonly columns: Int32Array;
  /** Columns that the model could make at most: as asked for, or what the context had room for. */
  readonly columnLimit: number;
  readonly prefillMs: number;
  readonly generateMs: number;
}

/** Fewer columns cannot hold a single frame (spec §7.5). */
function fewestColumns(numCodebooks: number): number {
  return numCodebooks + 2;
}

/**
 * Generates the codes of one sequence: prefill, then one decode step per column until the segment ends (spec §13).
 * Nothing is allocated in ggml while it runs. An abort is noticed within one frame.
 *
 * @throws HiggsError CONTEXT_OVERFLOW when the prompt leaves no room; CANCELLED; GENERATION_FAILED when logits are not finite
 */
export async function generateSequence(
  model: LanguageModel,
  request: SequenceRequest,
  options: GenerateOptions = {},
): Promise<GeneratedSequence> {
  const { slot = 0, signal } = options;
  const { config } = model;
  const promptLength = request.prompt.isAudio.length;
  const columnLimit = Math.min(request.maxColumns, model.contextLength - promptLength);
  if (columnLimit < Math.min(request.maxColumns, fewestColumns(config.numCodebooks))) {
    throw new HiggsError(
      "CONTEXT_OVERFLOW",
      `Cannot generate: the prompt leaves no room for audio (got ${promptLength} positions, limit ${model.contextLength})`,
    );
  }
  const startMs = performance.now();
  await model.prefill(slot, request.prompt, signal);
  const prefilledMs = performance.now();
  const decoder = new ColumnDecoder(config, {
    ...request,
    maxColumns: columnLimit,
    sampler: new Sampler(config.codebookSize),
  });
  try {
    await decodeColumns(model, decoder, promptLength, slot, options);
  } catch (error) {
    // What was not finite is in the cache too, and would fail the slot's next sequences.
    if (error instanceof HiggsError && error.code === "GENERATION_FAILED") model.clearSlot(slot);
    throw error;
  }
  return {
    codes: decoder.frames(),
    finished: decoder.finished ?? "length",
    columns: decoder.columns(),
    columnLimit,
    prefillMs: prefilledMs - startMs,
    generateMs: performance.now() - prefilledMs,
  };
}

async function decodeColumns(
  model: LanguageModel,
  decoder: ColumnDecoder,
  promptLength: number,
  slot: number,
  { signal, onFrames }: GenerateOptions,
): Promise<void> {
  const { numCodebooks, codebookSize } = model.config;
  const column = new Int32Array(numCodebooks);
  const logits = new Float32Array(model.logitsLength);
  const logitsOffset = slot * numCodebooks * codebookSize;
  let position = promptLength;
  let reported = 0;
  decoder.beginSegment();
  while (decoder.finished === null) {
    throwIfCancelled(signal, "finish the speech");
    decoder.copyLastColumn(column);
    const graph = model.decodeGraph(position + 1);
    graph.setSlot(slot, column, position);
    await graph.compute(logits);
    decoder.step(logits, logitsOffset);
    position += 1;
    const end = decoder.availableFrames;
    if (end > reported && onFrames !== undefined) onFrames({ first: reported, end, decoder });
    reported = end;
  }
  throwIfCancelled(signal, "finish the speech");
}
