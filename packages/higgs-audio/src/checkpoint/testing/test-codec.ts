import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CodecConfig } from "../codec-config.ts";
import { RELEASED_CODEC_CONFIG } from "../released-config.ts";
import { countValues, listCodecManifest } from "./released-manifests.ts";
import { encodeSafetensors, type TestTensor } from "./safetensors-writer.ts";
import { makeBytes } from "./test-checkpoint.ts";
import { encodeTorchArchive } from "./torch-writer.ts";

/** An audio tokenizer of under a megabyte. HuBERT keeps its 12 heads, which the boson layout cannot change. */
export const SMALL_CODEC_CONFIG: CodecConfig = {
  ...RELEASED_CODEC_CONFIG,
  encoderHiddenSize: 2,
  decoderHiddenSize: 64,
  acousticHiddenSize: 8,
  quantizerDim: 32,
  codebookSize: 16,
  codebookDim: 6,
  hubert: {
    ...RELEASED_CODEC_CONFIG.hubert,
    hiddenSize: 24,
    intermediateSize: 20,
    numHiddenLayers: 1,
    convDim: [10, 10, 10, 10, 10, 10, 10],
    numConvPosEmbeddings: 16,
    numConvPosEmbeddingGroups: 4,
  },
};

/** `config.json` as transformers writes it. */
export function encodeNativeCodecConfig(config: CodecConfig): Record<string, unknown> {
  const { hubert } = config;
  const bitsPerCode = Math.ceil(Math.log2(config.codebookSize));
  return {
    model_type: "higgs_audio_v2_tokenizer",
    sample_rate: config.sampleRateHz,
    semantic_sample_rate: config.semanticSampleRateHz,
    downsample_factor: 320,
    codebook_size: config.codebookSize,
    codebook_dim: config.codebookDim,
    kernel_size: 3,
    unit_kernel_size: 3,
    channel_ratios: [1, 1],
    strides: [1, 1],
    block_dilations: [1, 1],
    target_bandwidths: [0.5, (config.numQuantizers * config.frameRateHz * bitsPerCode) / 1000],
    acoustic_model_config: {
      model_type: "dac",
      encoder_hidden_size: config.encoderHiddenSize,
      decoder_hidden_size: config.decoderHiddenSize,
      hidden_size: config.acousticHiddenSize,
      downsampling_ratios: config.encoderRatios,
      upsampling_ratios: config.decoderRatios,
      codebook_dim: 8,
      n_codebooks: 9,
      sampling_rate: 16_000,
    },
    semantic_model_config: {
      model_type: "hubert",
      hidden_size: hubert.hiddenSize,
      intermediate_size: hubert.intermediateSize,
      num_hidden_layers: hubert.numHiddenLayers,
      num_attention_heads: hubert.numAttentionHeads,
      layer_norm_eps: hubert.layerNormEps,
      conv_dim: hubert.convDim,
      conv_kernel: hubert.convKernel,
      conv_stride: hubert.convStride,
      num_conv_pos_embeddings: hubert.numConvPosEmbeddings,
      num_conv_pos_embedding_groups: hubert.numConvPosEmbeddingGroups,
      conv_bias: false,
      conv_pos_batch_norm: false,
      do_stable_layer_norm: false,
      feat_extract_norm: "group",
      feat_extract_activation: "gelu",
      hidden_act: "gelu",
      feat_proj_layer_norm: true,
    },
  };
}

/** `config.json` as boson-ai writes it, without widths. */
export function encodeBosonCodecConfig(config: CodecConfig): Record<string, unknown> {
  return {
    n_filters: 32,
    D: config.acousticHiddenSize,
    codebook_dim: config.codebookDim,
    target_bandwidths: [0.5, 1, 1.5, 2, 4],
    ratios: config.encoderRatios,
    sample_rate: config.sampleRateHz,
    bins: config.codebookSize,
    n_q: config.numQuantizers,
    semantic_techer: "hubert_base_general",
  };
}

/** The tensors of an audio tokenizer's file, with values that depend on the name. */
export function makeCodecTensors(config: CodecConfig): TestTensor[] {
  const manifest = listCodecManifest(config);
  if (countValues(manifest) > 1e6) throw new RangeError("the test codec is meant to be small");
  return [...manifest].map(([name, shape]) => ({ name, dtype: "F32", shape, data: makeBytes(name, shape, "F32") }));
}

/** Writes an audio tokenizer as its layout is published and returns its folder. */
export function writeCodec(folder: string, config: CodecConfig, tensors = makeCodecTensors(config)): string {
  const isBoson = config.layout === "boson";
  const raw = isBoson ? encodeBosonCodecConfig(config) : encodeNativeCodecConfig(config);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(raw));
  const [name, bytes] = isBoson
    ? ["model.pth", encodeTorchArchive(tensors)]
    : ["model.safetensors", encodeSafetensors(tensors)];
  writeFileSync(join(folder, name), bytes);
  return folder;
}
