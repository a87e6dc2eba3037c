import * as v from "valibot";
import { unsupportedBecause } from "./checkpoint-error.ts";
import {
  checkConfig,
  HEADS,
  integer,
  LAYERS,
  OFF,
  ON,
  only,
  OPTIONAL_TOKEN_ID,
  positive,
  TOKEN_ID,
  VOCABULARY,
  WIDE,
  WIDTH,
} from "./config-fields.ts";
import { isJsonObject, type JsonObject } from "./strict-json.ts";

/** The two ways in which a checkpoint is published: by boson-ai, and for transformers (spec model §2, §3). */
export type CheckpointLayout = "boson" | "native";

/**
 * The llama3 rope scaling. Both published sets, (32, 1, 4, 8192) and (32, 0.125, 0.5, 1024), are the same function of
 * the frequency (spec model §2.2). A model without scaling has factor 1, which changes nothing.
 */
export interface RopeScaling {
  readonly factor: number;
  readonly lowFreqFactor: number;
  readonly highFreqFactor: number;
  readonly originalMaxPositionEmbeddings: number;
}

/** Configuration of the generation model, the same for both layouts (spec model §2.1, §2.2). */
export interface HiggsConfig {
  readonly layout: CheckpointLayout;
  readonly modelName: string;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  readonly vocabSize: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling;
  readonly maxPositionEmbeddings: number;
  readonly numCodebooks: number;
  /** Ids of one codebook **with** its BOS and EOS (1026): the row stride of embeddings and head. */
  readonly idsPerCodebook: number;
  readonly audioStreamBosId: number;
  readonly audioStreamEosId: number;
  /** `<|AUDIO_OUT|>`: audio in an assistant turn (native: anywhere). */
  readonly audioTokenId: number;
  /** `<|AUDIO|>`: audio in a system or user turn; null in the native layout. */
  readonly audioInTokenId: number | null;
  /** `<|audio_out_bos|>`: the audio begins. */
  readonly audioBosTokenId: number;
  /** `<|audio_eos|>`; null in the native layout, whose tokenizer files name it. */
  readonly audioEosTokenId: number | null;
  /** Native placeholder id of delayed columns; null in the boson layout. */
  readonly audioDelayTokenId: number | null;
  readonly padTokenId: number | null;
  readonly bosTokenId: number | null;
  readonly eosTokenId: number | null;
}

/** BOS and EOS of the audio stream, which the boson layout does not count in `audio_codebook_size` (spec model §11.1). */
const SPECIAL_CODES = 2;

/**
 * Reads `config.json` of the generation model.
 *
 * @throws {HiggsError} MODEL_UNSUPPORTED listing every field that is missing, out of range, or asks for a variant of the
 *   architecture that no released checkpoint has
 */
export function parseHiggsConfig(raw: JsonObject, layout: CheckpointLayout, modelName: string): HiggsConfig {
  const config = layout === "boson" ? parseBoson(raw, modelName) : parseNative(raw, modelName);
  const problems = findContradictions(config);
  if (problems.length > 0) throw unsupportedBecause("config.json", problems);
  return Object.freeze(config);
}

// --- what both layouts share: the Llama trunk ---

const ROPE_PARAMETERS = v.object({
  rope_type: v.picklist(["llama3", "default"]),
  rope_theta: v.optional(positive(1e9)),
  factor: v.optional(positive(1e6), 1),
  low_freq_factor: v.optional(positive(1e6), 1),
  high_freq_factor: v.optional(positive(1e6), 4),
  original_max_position_embeddings: v.optional(integer(1, 1e8), 8192),
});

const TRUNK = {
  hidden_size: WIDTH,
  intermediate_size: WIDE,
  num_hidden_layers: LAYERS,
  num_attention_heads: HEADS,
  num_key_value_heads: HEADS,
  head_dim: v.nullish(integer(2, 1024)),
  vocab_size: VOCABULARY,
  rms_norm_eps: positive(1),
  max_position_embeddings: integer(1, 1e8),
  rope_theta: v.optional(positive(1e9)),
  hidden_act: only("silu"),
  attention_bias: OFF,
  mlp_bias: OFF,
  quantization_config: OFF,
  bos_token_id: OPTIONAL_TOKEN_ID,
};

interface Trunk {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim?: number | null | undefined;
  readonly vocab_size: number;
  readonly rms_norm_eps: number;
  readonly max_position_embeddings: number;
}

function readTrunk(trunk: Trunk) {
  return {
    hiddenSize: trunk.hidden_size,
    intermediateSize: trunk.intermediate_size,
    numHiddenLayers: trunk.num_hidden_layers,
    numAttentionHeads: trunk.num_attention_heads,
    numKeyValueHeads: trunk.num_key_value_heads,
    // As in Llama, the head width follows from the hidden size when it is not given.
    headDim: trunk.head_dim ?? trunk.hidden_size / trunk.num_attention_heads,
    vocabSize: trunk.vocab_size,
    rmsNormEps: trunk.rms_norm_eps,
    maxPositionEmbeddings: trunk.max_position_embeddings,
  };
}

function readRopeScaling(rope: v.InferOutput<typeof ROPE_PARAMETERS>): RopeScaling {
  return Object.freeze({
    factor: rope.rope_type === "default" ? 1 : rope.factor,
    lowFreqFactor: rope.low_freq_factor,
    highFreqFactor: rope.high_freq_factor,
    originalMaxPositionEmbeddings: rope.original_max_position_embeddings,
  });
}

// --- boson layout ---

const BOSON_CONFIG = v.object({
  text_config: v.object({
    ...TRUNK,
    model_type: only("llama"),
    rope_theta: positive(1e9),
    rope_scaling: ROPE_PARAMETERS,
    eos_token_id: OPTIONAL_TOKEN_ID,
  }),
  audio_adapter_type: v.picklist(["dual_ffn", "dual_ffn_fast_forward"]),
  // The entries are compared with the number of layers below.
  audio_dual_ffn_layers: v.array(v.unknown()),
  use_audio_out_self_attention: OFF,
  use_audio_out_embed_projector: OFF,
  audio_embed_avg: OFF,
  audio_decoder_proj_num_layers: OFF,
  use_rq_transformer: OFF,
  encode_whisper_embed: OFF,
  quantization_config: OFF,
  use_delay_pattern: ON,
  encode_audio_in_tokens: ON,
  audio_num_codebooks: integer(1, 64),
  audio_codebook_size: integer(1, 65_536),
  audio_stream_bos_id: TOKEN_ID,
  audio_stream_eos_id: TOKEN_ID,
  audio_in_token_idx: TOKEN_ID,
  audio_out_token_idx: TOKEN_ID,
  audio_out_bos_token_id: TOKEN_ID,
  audio_eos_token_id: TOKEN_ID,
  pad_token_id: OPTIONAL_TOKEN_ID,
});

function parseBoson(raw: JsonObject, modelName: string): HiggsConfig {
  const config = checkConfig("config.json", BOSON_CONFIG, raw, findSkippedLayers(raw));
  const text = config.text_config;
  return {
    layout: "boson",
    modelName,
    ...readTrunk(text),
    ropeTheta: text.rope_theta,
    ropeScaling: readRopeScaling(text.rope_scaling),
    numCodebooks: config.audio_num_codebooks,
    idsPerCodebook: config.audio_codebook_size + SPECIAL_CODES,
    audioStreamBosId: config.audio_stream_bos_id,
    audioStreamEosId: config.audio_stream_eos_id,
    audioTokenId: config.audio_out_token_idx,
    audioInTokenId: config.audio_in_token_idx,
    audioBosTokenId: config.audio_out_bos_token_id,
    audioEosTokenId: config.audio_eos_token_id,
    audioDelayTokenId: null,
    padTokenId: config.pad_token_id,
    bosTokenId: text.bos_token_id,
    eosTokenId: text.eos_token_id,
  };
}

/**
 * A layer that `audio_dual_ffn_layers` does not list is skipped for audio ("fast forward"). The released model lists all,
 * and only that is implemented (spec model §4.2, §11.3).
 */
function findSkippedLayers(raw: JsonObject): string[] {
  const text = raw["text_config"];
  const layers = raw["audio_dual_ffn_layers"];
  const count = isJsonObject(text) ? text["num_hidden_layers"] : undefined;
  if (!Array.isArray(layers) || typeof count !== "number" || !(count >= 1 && count <= 1024)) return [];
  const listed = new Set<unknown>(layers);
  const skipped = Array.from({ length: count }, (_, layer) => layer).filter((layer) => !listed.has(layer));
  const isExact = skipped.length === 0 && listed.size === count;
  if (isExact) return [];
  return [`audio_dual_ffn_layers: does not list every layer (got ${listed.size} layers, expected 0 to ${count - 1})`];
}

// --- native layout ---

const NATIVE_CONFIG = v.object({
  ...TRUNK,
  rope_parameters: v.optional(ROPE_PARAMETERS),
  rope_scaling: v.nullish(ROPE_PARAMETERS),
  num_codebooks: integer(1, 64),
  codebook_size: integer(SPECIAL_CODES + 1, 65_538),
  audio_stream_bos_id: TOKEN_ID,
  audio_stream_eos_id: TOKEN_ID,
  audio_token_id: TOKEN_ID,
  audio_bos_token_id: TOKEN_ID,
  audio_delay_token_id: OPTIONAL_TOKEN_ID,
  pad_token_id: OPTIONAL_TOKEN_ID,
  eos_token_id: OPTIONAL_TOKEN_ID,
});

function parseNative(raw: JsonObject, modelName: string): HiggsConfig {
  const config = checkConfig("config.json", NATIVE_CONFIG, raw, findMissingRope(raw));
  const rope = config.rope_parameters ?? config.rope_scaling ?? NO_SCALING;
  return {
    layout: "native",
    modelName,
    ...readTrunk(config),
    ropeTheta: rope.rope_theta ?? config.rope_theta ?? 0,
    ropeScaling: readRopeScaling(rope),
    numCodebooks: config.num_codebooks,
    idsPerCodebook: config.codebook_size,
    audioStreamBosId: config.audio_stream_bos_id,
    audioStreamEosId: config.audio_stream_eos_id,
    audioTokenId: config.audio_token_id,
    audioInTokenId: null,
    audioBosTokenId: config.audio_bos_token_id,
    audioEosTokenId: null,
    audioDelayTokenId: config.audio_delay_token_id,
    padTokenId: config.pad_token_id,
    bosTokenId: config.bos_token_id,
    eosTokenId: config.eos_token_id,
  };
}

const NO_SCALING: v.InferOutput<typeof ROPE_PARAMETERS> = {
  rope_type: "default",
  factor: 1,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

/** transformers 5 writes `rope_parameters` with theta inside, earlier versions `rope_theta` and `rope_scaling`. */
function findMissingRope(raw: JsonObject): string[] {
  const nested = [raw["rope_parameters"], raw["rope_scaling"]].some(
    (rope) => isJsonObject(rope) && "rope_theta" in rope,
  );
  return nested || "rope_theta" in raw ? [] : ["rope_parameters.rope_theta: is missing"];
}

// --- fields that must agree with each other ---

function findContradictions(config: HiggsConfig): string[] {
  const { headDim, numAttentionHeads, numKeyValueHeads, idsPerCodebook, vocabSize } = config;
  const { audioStreamBosId, audioStreamEosId } = config;
  const problems: string[] = [];
  if (numAttentionHeads % numKeyValueHeads !== 0) {
    problems.push(
      `num_attention_heads: is not a multiple of num_key_value_heads (got ${numAttentionHeads} and ${numKeyValueHeads})`,
    );
  }
  if (headDim % 2 !== 0) problems.push(`head_dim: is not an even number (got ${headDim})`);
  if (audioStreamBosId !== idsPerCodebook - 2 || audioStreamEosId !== idsPerCodebook - 1) {
    const ids = `got ${audioStreamBosId} and ${audioStreamEosId}, expected ${idsPerCodebook - 2} and ${idsPerCodebook - 1}`;
    problems.push(`audio_stream_bos_id, audio_stream_eos_id: are not the last ids of a codebook (${ids})`);
  }
  if (config.ropeScaling.highFreqFactor <= config.ropeScaling.lowFreqFactor) {
    problems.push("rope high_freq_factor: is not greater than low_freq_factor");
  }
  for (const [name, id] of Object.entries(tokenIds(config))) {
    if (id !== null && id >= vocabSize)
      problems.push(`${name}: is outside the vocabulary (got ${id}, limit ${vocabSize - 1})`);
  }
  return problems;
}

/** Ids of the text vocabulary, by the names that the layout's file gives them. */
function tokenIds(config: HiggsConfig): Readonly<Record<string, number | null>> {
  const { audioTokenId, audioInTokenId, audioBosTokenId, audioEosTokenId, padTokenId } = config;
  if (config.layout === "native") {
    return { audio_token_id: audioTokenId, audio_bos_token_id: audioBosTokenId, pad_token_id: padTokenId };
  }
  return {
    audio_out_token_idx: audioTokenId,
    audio_in_token_idx: audioInTokenId,
    audio_out_bos_token_id: audioBosTokenId,
    audio_eos_token_id: audioEosTokenId,
    pad_token_id: padTokenId,
  };
}
