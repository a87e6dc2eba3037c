import { rowBytes } from "@higgs-worker/ggml";
import type { CodecConfig } from "../checkpoint/codec-config.ts";
import { listCodecTensors } from "../checkpoint/codec-tensors.ts";
import type { HiggsConfig } from "../checkpoint/lm-config.ts";
import { prefixCacheBytesOf } from "../engine/scheduler.ts";
import { KV_BUCKETS, type KvTypes } from "../model/kv-cache.ts";
import { PREFILL_ROWS } from "../model/prompt-pieces.ts";
import { heldType, TOKEN_EMBEDDINGS } from "../model/weights.ts";
import type { WeightTensor } from "../model/weight-source.ts";
import { KEPT_GRAPH_FRAMES } from "../codec/codec-decoder.ts";
import type { MemoryNeeds } from "./memory-plan.ts";

export interface MemoryNeedsOptions {
  readonly config: HiggsConfig;
  /** As they are loaded. */
  readonly tensors: Iterable<Pick<WeightTensor, "name" | "type" | "shape">>;
  readonly codec: CodecConfig;
  readonly contextLength: number;
  readonly kvTypes: KvTypes;
  /** Whether the codec runs on the CPU, which has smaller intermediate results there. */
  readonly isHost: boolean;
}

/** Values of f32. */
const F32 = 4;
/** Node with its libraries and this program. */
const PROCESS_BYTES = 110e6;
/** Of the tokenizer, for each of its ids. */
const TOKENIZER_BYTES_PER_ID = 1000;
/** ggml's description of a tensor; a graph has room for two a node. */
const NODE_BYTES = 2 * 384;
const NODES_PER_LAYER = 48;
/** Numbers of slots that steps have graphs for: 1, 2, 4 and so on; most processes see two of them at each length. */
const GRAPHS_PER_LENGTH = 2;
/** Scratch memory of a frame, as so many times the widest layer of the decoder (measured: 3.2 on the CPU, 9.8 elsewhere). */
const CODEC_LAYERS_HELD = { host: 3.2, device: 9.8 } as const;
/** Of the encoder's graphs, which are cut to a size. */
const ENCODER_PIECE_BYTES = { host: 24e6, device: 96e6 } as const;
/** Features of HuBERT that live at the same time, for all of a clip; frames of it in a second; a long clip. */
const HUBERT_LAYERS_HELD = 6;
const HUBERT_FRAMES_PER_SECOND = 50;
const CLIP_SECONDS = 20;

/** What a model of these shapes takes at most, without loading it. */
export function memoryNeedsOf(options: MemoryNeedsOptions): MemoryNeeds {
  const { config, codec, contextLength, kvTypes } = options;
  let [weights, textEmbeddings] = [0, 0];
  for (const { name, type, shape } of options.tensors) {
    const [rowLength = 1, ...rest] = shape;
    const bytes = rowBytes(heldType(name, type, "stored"), rowLength) * rest.reduce((rows, size) => rows * size, 1);
    if (name === TOKEN_EMBEDDINGS) textEmbeddings += bytes;
    else weights += bytes;
  }
  const keyWidth = config.headDim * config.numKeyValueHeads;
  const positionBytes =
    config.numHiddenLayers * (rowBytes(kvTypes.keys, keyWidth) + rowBytes(kvTypes.values, keyWidth));
  return {
    weights,
    textEmbeddings,
    cachePerSlot: positionBytes * contextLength,
    stepPerSlot: stepBytesPerSlot(config, contextLength),
    graphs: graphBytes(config, contextLength) + pieceBytes(config, kvTypes, contextLength),
    codec: codecBytes(codec, isOfDecoder) + codecScratchBytes(codec, options.isHost),
    encoder: codecBytes(codec, (name) => !isOfDecoder(name)) + encoderScratchBytes(codec, options.isHost),
    prefixes: prefixCacheBytesOf(positionBytes),
    process: PROCESS_BYTES + TOKENIZER_BYTES_PER_ID * config.vocabSize,
  };
}

/** Widest intermediate results that live at the same time, of one row. */
function rowScratchBytes({ hiddenSize, intermediateSize, numAttentionHeads, headDim }: HiggsConfig): number {
  return F32 * (3 * intermediateSize + 3 * hiddenSize + 2 * numAttentionHeads * headDim);
}

function stepBytesPerSlot(config: HiggsConfig, contextLength: number): number {
  const logits = F32 * config.numCodebooks * config.idsPerCodebook;
  const lengths = lengthsOf(contextLength);
  const masks = lengths.reduce((sum, length) => sum + Uint16Array.BYTES_PER_ELEMENT * length, 0);
  return GRAPHS_PER_LENGTH * (lengths.length * (rowScratchBytes(config) + logits) + masks);
}

function graphBytes(config: HiggsConfig, contextLength: number): number {
  const graphs = GRAPHS_PER_LENGTH * lengthsOf(contextLength).length + 1;
  return graphs * NODE_BYTES * NODES_PER_LAYER * config.numHiddenLayers;
}

/** Of a piece of a prompt at the end of the context: its rows, their mask, and the keys in the values' type. */
function pieceBytes(config: HiggsConfig, { keys, values }: KvTypes, contextLength: number): number {
  const mask = Uint16Array.BYTES_PER_ELEMENT * contextLength * PREFILL_ROWS;
  const keyWidth = config.headDim * config.numKeyValueHeads;
  const converted = keys === values ? 0 : rowBytes(values, keyWidth) * contextLength;
  return PREFILL_ROWS * rowScratchBytes(config) + mask + converted;
}

function lengthsOf(contextLength: number): readonly number[] {
  return [...KV_BUCKETS.filter((length) => length < contextLength), contextLength];
}

/** Tables and projections of the quantizers are on both sides; they are counted with the decoder, where they are larger. */
function isOfDecoder(name: string): boolean {
  return /^(acoustic_decoder|fc2|quantizer)\./.test(name);
}

function codecBytes(config: CodecConfig, isMeant: (name: string) => boolean): number {
  return listCodecTensors(config)
    .filter(({ name }) => isMeant(name))
    .reduce((sum, { shape }) => sum + F32 * shape.reduce((product, size) => product * size, 1), 0);
}

/** Channels halve with each block, and steps grow by its ratio. */
function codecScratchBytes({ decoderHiddenSize, decoderRatios }: CodecConfig, isHost: boolean): number {
  let [channels, steps, widest] = [decoderHiddenSize, 1, decoderHiddenSize];
  for (const ratio of decoderRatios) {
    channels /= 2;
    steps *= ratio;
    widest = Math.max(widest, channels * steps);
  }
  const held = isHost ? CODEC_LAYERS_HELD.host : CODEC_LAYERS_HELD.device;
  return held * F32 * widest * KEPT_GRAPH_FRAMES;
}

function encoderScratchBytes({ hubert }: CodecConfig, isHost: boolean): number {
  const piece = isHost ? ENCODER_PIECE_BYTES.host : ENCODER_PIECE_BYTES.device;
  return piece + HUBERT_LAYERS_HELD * F32 * hubert.hiddenSize * HUBERT_FRAMES_PER_SECOND * CLIP_SECONDS;
}
