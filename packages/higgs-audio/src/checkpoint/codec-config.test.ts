import { isHiggsError } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import { parseCodecConfig, type CodecConfig } from "./codec-config.ts";
import { RELEASED_CODEC_CONFIG } from "./released-config.ts";
import { listCodecManifest } from "./testing/released-manifests.ts";
import { encodeBosonCodecConfig, encodeNativeCodecConfig } from "./testing/test-codec.ts";
import { countElements, type TensorInfo } from "./tensor-source.ts";

type Json = Record<string, unknown>;

const BOSON_CONFIG: CodecConfig = { ...RELEASED_CODEC_CONFIG, layout: "boson" };

function tensorsOf(config: CodecConfig, without = ""): ReadonlyMap<string, TensorInfo> {
  const manifest = [...listCodecManifest(config)].filter(([name]) => name !== without);
  return new Map(
    manifest.map(([name, shape]) => [
      name,
      { name, shape, dtype: "F32" as const, byteLength: 4 * countElements(shape) },
    ]),
  );
}

function problemsOf(parse: () => unknown): readonly string[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!isHiggsError(error) || error.code !== "MODEL_UNSUPPORTED") throw error;
    return error.problems;
  }
}

describe("parseCodecConfig()", () => {
  it("reads the released native configuration", () => {
    const config = parseCodecConfig(encodeNativeCodecConfig(RELEASED_CODEC_CONFIG), "native", new Map());
    expect(config).toEqual(RELEASED_CODEC_CONFIG);
    expect(Object.isFrozen(config.hubert.convDim)).toBe(true);
  });

  it("takes the boson widths from the tensors' shapes", () => {
    const raw = encodeBosonCodecConfig(BOSON_CONFIG);
    expect(parseCodecConfig(raw, "boson", tensorsOf(BOSON_CONFIG))).toEqual(BOSON_CONFIG);
  });

  it("derives the number of quantizers from the file's bandwidths, not from the class default", () => {
    const raw = encodeNativeCodecConfig(RELEASED_CODEC_CONFIG);
    const parse = (bandwidths: number[]) =>
      parseCodecConfig({ ...raw, target_bandwidths: bandwidths }, "native", new Map()).numQuantizers;
    expect(parse([0.5, 1, 1.5, 2])).toBe(8);
    expect(parse([0.5, 1, 1.5, 2, 4])).toBe(16);
    expect(parse([0.5, 1])).toBe(4);
  });

  it.each<[string, Json]>([
    ["another architecture", { model_type: "encodec" }],
    ["other semantic kernels", { kernel_size: 5 }],
    ["semantic strides", { strides: [2, 1] }],
    ["channel ratios", { channel_ratios: [1, 2] }],
    ["dilations", { block_dilations: [1, 3] }],
    ["no bandwidths", { target_bandwidths: [] }],
    ["a bandwidth of nothing", { target_bandwidths: [0.01] }],
    ["an infinite bandwidth", { target_bandwidths: [Number.POSITIVE_INFINITY] }],
    ["a huge bandwidth", { target_bandwidths: [1e5] }],
    ["a codebook of one", { codebook_size: 1 }],
    ["a negative sample rate", { sample_rate: -24_000 }],
    ["a long list", { strides: Array.from({ length: 100_000 }, () => 1) }],
  ])("refuses %s", (_, change) => {
    const raw = { ...encodeNativeCodecConfig(RELEASED_CODEC_CONFIG), ...change };
    const problems = problemsOf(() => parseCodecConfig(raw, "native", new Map()));
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThan(5);
  });

  it.each<[string, string, Json]>([
    ["stable layer norm", "semantic_model_config", { do_stable_layer_norm: true }],
    ["layer norm in every convolution", "semantic_model_config", { feat_extract_norm: "layer" }],
    ["convolution biases", "semantic_model_config", { conv_bias: true }],
    ["another activation", "semantic_model_config", { hidden_act: "relu" }],
    ["batch norm", "semantic_model_config", { conv_pos_batch_norm: true }],
    ["no projection norm", "semantic_model_config", { feat_proj_layer_norm: false }],
    ["heads that do not divide", "semantic_model_config", { num_attention_heads: 7 }],
    ["groups that do not divide", "semantic_model_config", { num_conv_pos_embedding_groups: 7 }],
    ["lists of different lengths", "semantic_model_config", { conv_dim: [512] }],
    ["other strides", "semantic_model_config", { conv_stride: [5, 2, 2, 2, 2, 2, 3] }],
    ["another codec", "acoustic_model_config", { model_type: "encodec" }],
    ["ratios that do not undo each other", "acoustic_model_config", { upsampling_ratios: [8, 5, 4, 2] }],
    ["an odd decoder", "acoustic_model_config", { decoder_hidden_size: 1000 }],
    ["a huge hop", "acoustic_model_config", { downsampling_ratios: Array.from({ length: 16 }, () => 64) }],
    ["a huge encoder", "acoustic_model_config", { encoder_hidden_size: 65_536 }],
  ])("refuses %s", (_, part, change) => {
    const raw = encodeNativeCodecConfig(RELEASED_CODEC_CONFIG);
    const changed = { ...raw, [part]: { ...(raw[part] as Json), ...change } };
    expect(problemsOf(() => parseCodecConfig(changed, "native", new Map())).length).toBeGreaterThan(0);
  });

  it.each<[string, Json]>([
    ["another teacher", { semantic_techer: "wavlm_base_plus" }],
    ["residual FSQ", { bins: [8, 5, 5, 5] }],
    ["average pooling", { downsample_mode: "avg" }],
    ["a scaled quantizer", { vq_scale: 2 }],
    ["no quantizers", { n_q: 0 }],
    ["no ratios", { ratios: null }],
  ])("refuses boson %s", (_, change) => {
    const raw = { ...encodeBosonCodecConfig(BOSON_CONFIG), ...change };
    expect(problemsOf(() => parseCodecConfig(raw, "boson", tensorsOf(BOSON_CONFIG))).length).toBeGreaterThan(0);
  });

  it("names the tensors without which the boson widths cannot be told", () => {
    const raw = encodeBosonCodecConfig(BOSON_CONFIG);
    const tensors = tensorsOf(BOSON_CONFIG, "decoder_2.model.0.weight_v");
    expect(problemsOf(() => parseCodecConfig(raw, "boson", tensors))).toEqual([
      "decoder_2.model.0.weight_v is missing",
    ]);
    expect(problemsOf(() => parseCodecConfig(raw, "boson", new Map())).length).toBeGreaterThan(10);
  });
});
