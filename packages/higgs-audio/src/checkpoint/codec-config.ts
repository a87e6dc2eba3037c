import * as v from "valibot";
import { unsupportedBecause } from "./checkpoint-error.ts";
import { type HubertConfig, readBosonWidths } from "./codec-shapes.ts";
import { checkConfig, HEADS, integer, LAYERS, OFF, only, positive, shortList, WIDE, WIDTH } from "./config-fields.ts";
import type { CheckpointLayout } from "./lm-config.ts";
import type { JsonObject } from "./strict-json.ts";
import type { TensorInfo } from "./tensor-source.ts";

/** Configuration of the audio tokenizer, the same for both layouts (spec model §9.1). */
export interface CodecConfig {
  readonly layout: CheckpointLayout;
  readonly sampleRateHz: number;
  readonly semanticSampleRateHz: number;
  /** Samples of one frame (960). */
  readonly hopLength: number;
  /** Frames per second (25). */
  readonly frameRateHz: number;
  /** Every n-th frame of HuBERT is kept (2). */
  readonly semanticDownsampleFactor: number;
  /** Strides, in the order in which the encoder, and the decoder, applies them. */
  readonly encoderRatios: readonly number[];
  readonly decoderRatios: readonly number[];
  /** Channels after the encoder's first convolution (64); they double with each ratio. */
  readonly encoderHiddenSize: number;
  /** Channels after the decoder's first convolution (1024); they halve with each ratio. */
  readonly decoderHiddenSize: number;
  /** Channels between encoder and decoder (256). */
  readonly acousticHiddenSize: number;
  /** Acoustic and semantic channels together (1024): the space in which the quantizers work. */
  readonly quantizerDim: number;
  readonly numQuantizers: number;
  /** Codes of one quantizer (1024), without BOS and EOS. */
  readonly codebookSize: number;
  readonly codebookDim: number;
  /** Blocks, and residual units in each, of the semantic encoder. */
  readonly numSemanticBlocks: number;
  readonly numSemanticUnits: number;
  readonly semanticKernelSize: number;
  readonly hubert: HubertConfig;
}

/**
 * Reads `config.json` of the audio tokenizer. The boson file has no widths: they come from `tensors` (spec model §9.9).
 *
 * @throws {HiggsError} MODEL_UNSUPPORTED listing every field that is missing, out of range or of an unsupported variant
 */
export function parseCodecConfig(
  raw: JsonObject,
  layout: CheckpointLayout,
  tensors: ReadonlyMap<string, TensorInfo>,
): CodecConfig {
  const config = layout === "boson" ? parseBoson(raw, tensors) : parseNative(raw);
  const problems = findContradictions(config);
  if (problems.length > 0) throw unsupportedBecause("the audio tokenizer's config.json", problems);
  return freezeDeep(config);
}

const WHAT = "the audio tokenizer's config.json";
const SAMPLE_RATE = integer(1000, 768_000);
const RATIOS = shortList(integer(1, 64), 16);

/** HuBERT's own downsampling: the product of its strides, 320, is a constant of the reference. */
const SEMANTIC_HOP = 320;

// --- native layout ---

const NATIVE_CONFIG = v.object({
  model_type: only("higgs_audio_v2_tokenizer"),
  sample_rate: SAMPLE_RATE,
  semantic_sample_rate: SAMPLE_RATE,
  downsample_factor: only(SEMANTIC_HOP),
  codebook_size: integer(2, 65_536),
  codebook_dim: WIDTH,
  kernel_size: only(3),
  unit_kernel_size: only(3),
  channel_ratios: shortList(only(1) as v.GenericSchema<number, number>, 16),
  strides: shortList(only(1) as v.GenericSchema<number, number>, 16),
  block_dilations: shortList(only(1) as v.GenericSchema<number, number>, 16),
  target_bandwidths: shortList(positive(1e6), 64),
  acoustic_model_config: v.object({
    model_type: only("dac"),
    encoder_hidden_size: WIDTH,
    decoder_hidden_size: WIDTH,
    hidden_size: WIDTH,
    downsampling_ratios: RATIOS,
    upsampling_ratios: RATIOS,
  }),
  semantic_model_config: v.object({
    model_type: only("hubert"),
    hidden_size: WIDTH,
    intermediate_size: WIDE,
    num_hidden_layers: LAYERS,
    num_attention_heads: HEADS,
    layer_norm_eps: positive(1),
    conv_dim: shortList(WIDTH, 16),
    conv_kernel: shortList(integer(1, 1024), 16),
    conv_stride: shortList(integer(1, 1024), 16),
    num_conv_pos_embeddings: integer(1, 65_536),
    num_conv_pos_embedding_groups: integer(1, 65_536),
    conv_bias: OFF,
    conv_pos_batch_norm: OFF,
    do_stable_layer_norm: OFF,
    feat_extract_norm: only("group"),
    feat_extract_activation: only("gelu"),
    hidden_act: only("gelu"),
    feat_proj_layer_norm: only(true),
  }),
});

function parseNative(raw: JsonObject): CodecConfig {
  const config = checkConfig(WHAT, NATIVE_CONFIG, raw, []);
  const { acoustic_model_config: dac, semantic_model_config: hubert } = config;
  const rates = deriveRates(config.sample_rate, config.semantic_sample_rate, dac.downsampling_ratios);
  return {
    layout: "native",
    ...rates,
    encoderRatios: dac.downsampling_ratios,
    decoderRatios: dac.upsampling_ratios,
    encoderHiddenSize: dac.encoder_hidden_size,
    decoderHiddenSize: dac.decoder_hidden_size,
    acousticHiddenSize: dac.hidden_size,
    quantizerDim: dac.hidden_size + hubert.hidden_size,
    numQuantizers: countQuantizers(config.target_bandwidths, rates.frameRateHz, config.codebook_size),
    codebookSize: config.codebook_size,
    codebookDim: config.codebook_dim,
    numSemanticBlocks: config.strides.length,
    numSemanticUnits: config.block_dilations.length,
    semanticKernelSize: 3,
    hubert: {
      hiddenSize: hubert.hidden_size,
      intermediateSize: hubert.intermediate_size,
      numHiddenLayers: hubert.num_hidden_layers,
      numAttentionHeads: hubert.num_attention_heads,
      layerNormEps: hubert.layer_norm_eps,
      convDim: hubert.conv_dim,
      convKernel: hubert.conv_kernel,
      convStride: hubert.conv_stride,
      numConvPosEmbeddings: hubert.num_conv_pos_embeddings,
      numConvPosEmbeddingGroups: hubert.num_conv_pos_embedding_groups,
    },
  };
}

/** Quantizers that the highest bandwidth (kbit/s) pays for; the file's list counts, not the class default (spec model §9.1). */
function countQuantizers(bandwidths: readonly number[], frameRateHz: number, codebookSize: number): number {
  const bitsPerCode = Math.ceil(Math.log2(codebookSize));
  return Math.floor((1000 * (bandwidths.at(-1) ?? 0)) / (frameRateHz * bitsPerCode));
}

function deriveRates(sampleRateHz: number, semanticSampleRateHz: number, ratios: readonly number[]) {
  const hopLength = ratios.reduce((product, ratio) => product * ratio, 1);
  return {
    sampleRateHz,
    semanticSampleRateHz,
    hopLength,
    frameRateHz: Math.ceil(sampleRateHz / hopLength),
    semanticDownsampleFactor: Math.trunc(hopLength / (sampleRateHz / semanticSampleRateHz) / SEMANTIC_HOP),
  };
}

// --- boson layout ---

const BOSON_CONFIG = v.object({
  D: WIDTH,
  codebook_dim: WIDTH,
  ratios: RATIOS,
  sample_rate: SAMPLE_RATE,
  semantic_sample_rate: v.nullish(SAMPLE_RATE, 16_000),
  bins: integer(2, 65_536),
  n_q: integer(1, 64),
  semantic_techer: only("hubert_base_general"), // sic
  downsample_mode: only("step_down"),
  vq_scale: only(1),
});

function parseBoson(raw: JsonObject, tensors: ReadonlyMap<string, TensorInfo>): CodecConfig {
  const config = checkConfig(WHAT, BOSON_CONFIG, raw, []);
  const widths = readBosonWidths(tensors);
  return {
    layout: "boson",
    ...deriveRates(config.sample_rate, config.semantic_sample_rate, config.ratios),
    encoderRatios: config.ratios,
    decoderRatios: config.ratios,
    encoderHiddenSize: widths.encoderHiddenSize,
    decoderHiddenSize: widths.decoderHiddenSize,
    acousticHiddenSize: config.D,
    quantizerDim: config.D + widths.hubert.hiddenSize,
    numQuantizers: config.n_q,
    codebookSize: config.bins,
    codebookDim: config.codebook_dim,
    numSemanticBlocks: widths.numSemanticBlocks,
    numSemanticUnits: widths.numSemanticUnits,
    semanticKernelSize: 3,
    hubert: widths.hubert,
  };
}

// --- fields that must agree with each other ---

function findContradictions(config: CodecConfig): string[] {
  const { hubert } = config;
  const problems: string[] = [];
  const layers = new Set([hubert.convDim.length, hubert.convKernel.length, hubert.convStride.length]);
  if (layers.size > 1) problems.push("conv_dim, conv_kernel, conv_stride: have different lengths");
  if (product(hubert.convStride) !== SEMANTIC_HOP) {
    problems.push(
      `conv_stride: has an unsupported product (got ${product(hubert.convStride)}, expected ${SEMANTIC_HOP})`,
    );
  }
  if (config.hopLength > MAX_HOP_LENGTH) {
    problems.push(`downsampling_ratios: have too large a product (got ${config.hopLength}, limit ${MAX_HOP_LENGTH})`);
  }
  if (product(config.decoderRatios) !== config.hopLength) {
    problems.push(
      `upsampling_ratios: do not undo downsampling_ratios (got ${product(config.decoderRatios)}, expected ${config.hopLength})`,
    );
  }
  if (config.decoderHiddenSize % 2 ** config.decoderRatios.length !== 0) {
    problems.push(`decoder_hidden_size: cannot be halved for each ratio (got ${config.decoderHiddenSize})`);
  }
  if (config.encoderHiddenSize * 2 ** config.encoderRatios.length > MAX_ENCODER_CHANNELS) {
    problems.push(
      `encoder_hidden_size: grows too wide (got ${config.encoderHiddenSize}, limit ${MAX_ENCODER_CHANNELS} channels)`,
    );
  }
  if (hubert.hiddenSize % hubert.numAttentionHeads !== 0) {
    problems.push(
      `num_attention_heads: does not divide hidden_size (got ${hubert.numAttentionHeads} and ${hubert.hiddenSize})`,
    );
  }
  if (hubert.hiddenSize % hubert.numConvPosEmbeddingGroups !== 0) {
    problems.push(
      `num_conv_pos_embedding_groups: does not divide hidden_size (got ${hubert.numConvPosEmbeddingGroups})`,
    );
  }
  if (config.numQuantizers < 1 || config.numQuantizers > 64) {
    problems.push(
      `target_bandwidths: give an unsupported number of quantizers (got ${config.numQuantizers}, limit 64)`,
    );
  }
  if (config.semanticDownsampleFactor < 1) problems.push("semantic_sample_rate: leaves no semantic frames");
  return problems;
}

/** 68 times the released hop; keeps every derived length an exact integer. */
const MAX_HOP_LENGTH = 65_536;

/** 32 times the released encoder's last width. */
const MAX_ENCODER_CHANNELS = 65_536;

function product(values: readonly number[]): number {
  return values.reduce((result, value) => result * value, 1);
}

function freezeDeep<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) freezeDeep(part);
  return Object.freeze(value);
}
