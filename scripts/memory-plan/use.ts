import { join } from "node:path";
import {
  CheckpointWeightSource,
  CodecDecoder,
  CodecEncoder,
  LanguageModel,
  memoryNeedsOf,
  openCodec,
  openDevice,
  planMemory,
  randomCodec,
  RandomWeightSource,
  readHostMemory,
  RELEASED_CODEC_CONFIG,
  RELEASED_HIGGS_CONFIG,
  servedKvTypes,
  type WeightSource,
} from "@higgs-worker/higgs-audio/parts";
import type { Backend } from "@higgs-worker/ggml";

/** What was planned for a model, and what it used. */
export interface Use {
  readonly slots: number;
  readonly plannedBytes: number;
  /** Buffers of ggml and tables in the host's memory. */
  readonly usedBytes: number;
  /** Growth of the process's resident memory, at its highest. */
  readonly grownBytes: number;
  /** Name, planned, used. */
  readonly parts: readonly (readonly [string, number, number])[];
}

interface Shape {
  readonly format: "bf16" | "q8_0" | "q4_k";
  readonly layers: number;
  readonly contextLength: number;
  readonly slots: number | "auto";
}

const SHAPES: Readonly<Record<string, Shape>> = {
  "2 layers, q8_0": { format: "q8_0", layers: 2, contextLength: 2048, slots: 1 },
  "2 layers, q4_k": { format: "q4_k", layers: 2, contextLength: 4096, slots: "auto" },
  "3 layers, bf16": { format: "bf16", layers: 3, contextLength: 1024, slots: 8 },
};
const DEMO_NAME = "demo";
const DEMO = join(import.meta.dirname, "..", "..", "demo-checkpoint", "checkpoint");

export const MODELS: readonly string[] = [DEMO_NAME, ...Object.keys(SHAPES)];

const DEMO_CONTEXT = 8192;
const PROMPT_ROWS = 128;
const FRAMES = 160;
const CLIP_SECONDS = 20;

/** Loads a model, uses all that it has, and says what that took. */
export async function measureUse(name: string): Promise<Use> {
  using backend = openDevice({ device: "cpu", threads: 1 });
  const shape = SHAPES[name];
  const contextLength = shape?.contextLength ?? DEMO_CONTEXT;
  const kvTypes = servedKvTypes(backend.device);
  await using source = await openSource(backend, shape);
  const codec =
    shape === undefined ? await openCodec(join(DEMO, "codec")) : randomCodec(RELEASED_CODEC_CONFIG, { seed: 1 });
  const tensors = [...source.tensors.values()];
  const needs = memoryNeedsOf({
    config: source.config,
    tensors,
    codec: codec.config,
    contextLength,
    kvTypes,
    isHost: true,
  });
  const { slots } = planMemory(needs, { ...readHostMemory(), isHost: true }, shape?.slots ?? "auto");
  globalThis.gc?.();
  const startBytes = process.memoryUsage.rss();
  using model = await LanguageModel.load(backend, source, { precision: "stored", kvTypes, contextLength, slots });
  using decoder = await CodecDecoder.load(backend, codec);
  using encoder = await CodecEncoder.load(backend, codec);
  const pieceBytes = await fillSlots(model);
  await decoder.decode(Array.from({ length: codec.config.numQuantizers }, () => new Int32Array(FRAMES)));
  const samples = CLIP_SECONDS * codec.config.sampleRateHz;
  await encoder.encode(Float32Array.from({ length: samples }, (_, i) => 0.3 * Math.sin(i * 0.05)));
  const decoderBytes = decoder.memory.weightBytes + decoder.memory.scratchBytes;
  const encoderBytes = encoder.memory.weightBytes + encoder.memory.peakScratchBytes;
  const parts = [
    ["weights", needs.weights, model.weightBytes],
    ["text embeddings", needs.textEmbeddings, model.textEmbeddingBytes],
    ["cache", slots * needs.cachePerSlot, model.cacheBytes],
    ["steps and pieces", slots * needs.stepPerSlot + needs.graphs, model.stepScratchBytes + pieceBytes],
    ["codec", needs.codec, decoderBytes],
    ["encoder", needs.encoder, encoderBytes],
  ] as const;
  return {
    slots,
    plannedBytes: parts.reduce((sum, [, planned]) => sum + planned, 0),
    usedBytes: parts.reduce((sum, [, , used]) => sum + used, 0),
    grownBytes: process.resourceUsage().maxRSS * 1024 - startBytes,
    parts,
  };
}

async function openSource(backend: Backend, shape: Shape | undefined): Promise<WeightSource> {
  if (shape === undefined) return await CheckpointWeightSource.open(DEMO);
  const config = { ...RELEASED_HIGGS_CONFIG, numHiddenLayers: shape.layers };
  return new RandomWeightSource(backend.ggml, config, shape.format);
}

/** Puts the last piece of a prompt at the end of each slot's context and makes steps of all lengths; gives what a piece takes. */
async function fillSlots(model: LanguageModel): Promise<number> {
  const { contextLength, slots } = model;
  const piece = {
    firstPosition: contextLength - PROMPT_ROWS,
    isAudio: new Uint8Array(PROMPT_ROWS),
    textIds: new Int32Array(PROMPT_ROWS),
    columnIds: new Int32Array(0),
  };
  for (let slot = 0; slot < slots; slot++) await model.prefillPiece(slot, piece);
  const column = new Int32Array(model.config.numCodebooks);
  const logits = new Float32Array(model.logitsLength);
  for (let length = 256; length <= contextLength; length *= 2) {
    for (const slotCount of new Set([1, slots])) {
      const graph = model.decodeGraph(length, slotCount);
      for (let slot = 0; slot < slotCount; slot++) graph.setSlot(slot, column, length - 1);
      await graph.compute(logits);
    }
  }
  return model.pieceScratchBytes;
}
