import type { CodecConfig } from "./codec-config.ts";
import type { HiggsConfig } from "./lm-config.ts";

/**
 * Configuration of `bosonai/higgs-audio-v2-generation-3B-base` (spec model §2.1). For benchmarks and tests that need the real
 * shapes without the weights; a loader reads `config.json`.
 */
export const RELEASED_HIGGS_CONFIG: HiggsConfig = Object.freeze({
  layout: "boson",
  modelName: "bosonai/higgs-audio-v2-generation-3B-base",
  hiddenSize: 3072,
  intermediateSize: 8192,
  numHiddenLayers: 28,
  numAttentionHeads: 24,
  numKeyValueHeads: 8,
  headDim: 128,
  vocabSize: 128_256,
  rmsNormEps: 1e-5,
  ropeTheta: 500_000,
  ropeScaling: Object.freeze({
    factor: 32,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositionEmbeddings: 8192,
  }),
  maxPositionEmbeddings: 131_072,
  numCodebooks: 8,
  idsPerCodebook: 1026,
  audioStreamBosId: 1024,
  audioStreamEosId: 1025,
  audioTokenId: 128_016,
  audioInTokenId: 128_015,
  audioBosTokenId: 128_013,
  audioEosTokenId: 128_012,
  audioDelayTokenId: null,
  padTokenId: 128_001,
  bosTokenId: 128_000,
  eosTokenId: 128_001,
});

/** Configuration of `bosonai/higgs-audio-v2-tokenizer` (spec model §9.1). */
export const RELEASED_CODEC_CONFIG: CodecConfig = Object.freeze({
  layout: "native",
  sampleRateHz: 24_000,
  semanticSampleRateHz: 16_000,
  hopLength: 960,
  frameRateHz: 25,
  semanticDownsampleFactor: 2,
  encoderRatios: Object.freeze([8, 5, 4, 2, 3]),
  decoderRatios: Object.freeze([8, 5, 4, 2, 3]),
  encoderHiddenSize: 64,
  decoderHiddenSize: 1024,
  acousticHiddenSize: 256,
  quantizerDim: 1024,
  numQuantizers: 8,
  codebookSize: 1024,
  codebookDim: 64,
  numSemanticBlocks: 2,
  numSemanticUnits: 2,
  semanticKernelSize: 3,
  hubert: Object.freeze({
    hiddenSize: 768,
    intermediateSize: 3072,
    numHiddenLayers: 12,
    numAttentionHeads: 12,
    layerNormEps: 1e-5,
    convDim: Object.freeze([512, 512, 512, 512, 512, 512, 512]),
    convKernel: Object.freeze([10, 3, 3, 3, 3, 2, 2]),
    convStride: Object.freeze([5, 2, 2, 2, 2, 2, 2]),
    numConvPosEmbeddings: 128,
    numConvPosEmbeddingGroups: 16,
  }),
});

/** What all checkpoints of the model share, for estimates and limits before one is loaded. */
export const AUDIO_SHAPE = {
  sampleRateHz: RELEASED_CODEC_CONFIG.sampleRateHz,
  samplesPerFrame: RELEASED_CODEC_CONFIG.hopLength,
  framesPerSecond: RELEASED_CODEC_CONFIG.frameRateHz,
  /** Columns of a clip or a sequence beside its frames: BOS, and the delay of the codebooks (spec model §7.1). */
  columnsBesideFrames: RELEASED_HIGGS_CONFIG.numCodebooks + 1,
  /** Ids of one codebook with BOS and EOS, the largest useful top-k. */
  idsPerCodebook: RELEASED_HIGGS_CONFIG.idsPerCodebook,
} as const;
