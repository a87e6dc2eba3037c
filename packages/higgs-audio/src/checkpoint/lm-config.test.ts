import { isHiggsError } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import { parseHiggsConfig, type CheckpointLayout } from "./lm-config.ts";
import { RELEASED_HIGGS_CONFIG } from "./released-config.ts";
import { encodeHiggsConfig } from "./testing/test-checkpoint.ts";

type Json = Record<string, unknown>;

function released(layout: CheckpointLayout): Json {
  return encodeHiggsConfig(RELEASED_HIGGS_CONFIG, layout);
}

/** A copy with the field at a dotted path replaced, or removed when the value is undefined. */
function withField(config: Json, path: string, value: unknown): Json {
  const [head = "", ...rest] = path.split(".");
  const child = rest.length > 0 ? withField(config[head] as Json, rest.join("."), value) : value;
  const copy: Json = { ...config, [head]: child };
  if (child === undefined) delete copy[head];
  return copy;
}

function problemsOf(config: Json, layout: CheckpointLayout): readonly string[] {
  try {
    parseHiggsConfig(config, layout, "test");
    return [];
  } catch (error) {
    if (!isHiggsError(error) || error.code !== "MODEL_UNSUPPORTED") throw error;
    return error.problems;
  }
}

describe("parseHiggsConfig()", () => {
  it("reads the released boson configuration", () => {
    const config = parseHiggsConfig(released("boson"), "boson", RELEASED_HIGGS_CONFIG.modelName);
    expect(config).toEqual(RELEASED_HIGGS_CONFIG);
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.ropeScaling)).toBe(true);
  });

  it("reads the released native configuration, whose codebook size counts BOS and EOS (spec model §11.1)", () => {
    const config = parseHiggsConfig(released("native"), "native", "name");
    expect(config).toEqual({
      ...RELEASED_HIGGS_CONFIG,
      layout: "native",
      modelName: "name",
      maxPositionEmbeddings: 2048,
      audioInTokenId: null,
      audioEosTokenId: null,
      audioDelayTokenId: 38,
      ropeScaling: { factor: 32, lowFreqFactor: 0.125, highFreqFactor: 0.5, originalMaxPositionEmbeddings: 1024 },
    });
    expect(config.idsPerCodebook).toBe(1026);
  });

  it("does not read the decorative audio_ffn sizes (spec model §11.4)", () => {
    expect(problemsOf(withField(released("boson"), "audio_ffn_intermediate_size", "x"), "boson")).toEqual([]);
  });

  it("derives the head width as Llama does when it is not given", () => {
    const config = parseHiggsConfig(withField(released("boson"), "text_config.head_dim", undefined), "boson", "");
    expect(config.headDim).toBe(128);
  });

  it("accepts rope_theta and rope_scaling of earlier transformers, and no scaling at all", () => {
    const { rope_parameters: _, ...older } = released("native");
    const scaled = parseHiggsConfig(
      { ...older, rope_theta: 10_000, rope_scaling: { rope_type: "llama3", factor: 8 } },
      "native",
      "",
    );
    expect([scaled.ropeTheta, scaled.ropeScaling.factor]).toEqual([10_000, 8]);
    const plain = parseHiggsConfig({ ...older, rope_theta: 10_000 }, "native", "");
    expect([plain.ropeTheta, plain.ropeScaling.factor]).toEqual([10_000, 1]);
    expect(problemsOf(older, "native")).toEqual(["rope_parameters.rope_theta: is missing"]);
  });
});

const BOSON_REFUSALS: readonly (readonly [path: string, value: unknown])[] = [
  ["audio_adapter_type", "stack"],
  ["audio_adapter_type", "dual_ffn_with_adapter"],
  ["audio_adapter_type", undefined],
  ["audio_dual_ffn_layers", undefined],
  ["audio_dual_ffn_layers", null],
  ["audio_dual_ffn_layers", []],
  ["audio_dual_ffn_layers", Array.from({ length: 27 }, (_, layer) => layer)],
  ["audio_dual_ffn_layers", Array.from({ length: 29 }, (_, layer) => layer)],
  ["use_audio_out_self_attention", 1],
  ["use_audio_out_self_attention", true],
  ["use_audio_out_embed_projector", true],
  ["audio_embed_avg", true],
  ["audio_decoder_proj_num_layers", 1],
  ["use_rq_transformer", true],
  ["encode_whisper_embed", true],
  ["encode_audio_in_tokens", false],
  ["use_delay_pattern", false],
  ["use_delay_pattern", undefined],
  ["audio_num_codebooks", 0],
  ["audio_codebook_size", 0],
  ["audio_stream_bos_id", 1025],
  ["audio_stream_bos_id", 1023],
  ["audio_out_token_idx", 128_256],
  ["audio_out_bos_token_id", -1],
  ["text_config", "llama"],
  ["text_config.model_type", "qwen2"],
  ["text_config.hidden_act", "gelu"],
  ["text_config.attention_bias", true],
  ["text_config.mlp_bias", true],
  ["text_config.quantization_config", { bits: 4 }],
  ["text_config.rope_scaling", null],
  ["text_config.rope_scaling.rope_type", "yarn"],
  ["text_config.rope_scaling.rope_type", "dynamic"],
  ["text_config.rope_scaling.factor", 0],
  ["text_config.rope_scaling.high_freq_factor", 1],
  ["text_config.rope_theta", Number.NaN],
  ["text_config.rms_norm_eps", 0],
  ["text_config.rms_norm_eps", -1e-5],
  ["text_config.hidden_size", -3072],
  ["text_config.hidden_size", 3072.5],
  ["text_config.hidden_size", "3072"],
  ["text_config.hidden_size", 2 ** 53],
  ["text_config.hidden_size", Number.POSITIVE_INFINITY],
  ["text_config.num_hidden_layers", 1e9],
  ["text_config.num_hidden_layers", 0],
  ["text_config.num_key_value_heads", 7],
  ["text_config.head_dim", 127],
  ["text_config.vocab_size", 1e12],
];

describe("parseHiggsConfig() with an unsupported configuration", () => {
  it.each(BOSON_REFUSALS)("refuses boson %s = %j", (path, value) => {
    const problems = problemsOf(withField(released("boson"), path, value), "boson");
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join()).toContain(path.split(".").at(-1)?.slice(0, 12));
  });

  it.each([
    ["hidden_act", "relu"],
    ["attention_bias", true],
    ["codebook_size", 1024],
    ["codebook_size", undefined],
    ["num_codebooks", null],
    ["audio_token_id", undefined],
    ["rope_parameters", { rope_type: "linear", rope_theta: 1e4 }],
    ["rms_norm_eps", undefined],
  ])("refuses native %s = %j", (path, value) => {
    expect(problemsOf(withField(released("native"), path, value), "native").length).toBeGreaterThan(0);
  });

  it("lists all problems in one error", () => {
    let config = withField(released("boson"), "text_config.hidden_act", "gelu");
    config = withField(config, "audio_adapter_type", "stack");
    config = withField(config, "audio_dual_ffn_layers", [0]);
    config = withField(config, "audio_embed_avg", true);
    expect(problemsOf(config, "boson")).toEqual([
      'text_config.hidden_act: is not supported (got "gelu", expected "silu")',
      expect.stringContaining("audio_adapter_type: "),
      "audio_embed_avg: is not supported (got true, expected off)",
      "audio_dual_ffn_layers: does not list every layer (got 1 layers, expected 0 to 27)",
    ]);
  });

  it("survives a list with a million entries", () => {
    const layers = Array.from({ length: 1_000_000 }, () => "x");
    expect(problemsOf(withField(released("boson"), "audio_dual_ffn_layers", layers), "boson")).toHaveLength(1);
  });
});
