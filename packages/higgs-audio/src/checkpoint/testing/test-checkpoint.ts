import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CheckpointLayout, HiggsConfig } from "../lm-config.ts";
import { listLmTensors } from "../lm-tensors.ts";
import { RELEASED_HIGGS_CONFIG } from "../released-config.ts";
import { countElements, DTYPE_BYTES, type TensorDtype } from "../tensor-source.ts";
import { listLmManifest } from "./released-manifests.ts";
import { encodeSafetensors, type TestTensor } from "./safetensors-writer.ts";

/** A generation model of a few kilobytes whose sizes all differ, so that no two axes can be confused. */
export const SMALL_HIGGS_CONFIG: HiggsConfig = {
  ...RELEASED_HIGGS_CONFIG,
  hiddenSize: 24,
  intermediateSize: 40,
  numHiddenLayers: 2,
  numAttentionHeads: 6,
  numKeyValueHeads: 2,
  headDim: 8,
  vocabSize: 50,
  numCodebooks: 3,
  idsPerCodebook: 12,
  audioStreamBosId: 10,
  audioStreamEosId: 11,
  audioTokenId: 40,
  audioInTokenId: 39,
  audioBosTokenId: 37,
  audioEosTokenId: 36,
  padTokenId: 1,
  bosTokenId: 0,
  eosTokenId: 1,
};

/** `config.json` of a generation model as its authors write it. */
export function encodeHiggsConfig(config: HiggsConfig, layout: CheckpointLayout): Record<string, unknown> {
  const trunk = {
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    head_dim: config.headDim,
    vocab_size: config.vocabSize,
    rms_norm_eps: config.rmsNormEps,
    hidden_act: "silu",
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenId,
  };
  return layout === "boson" ? encodeBoson(config, trunk) : encodeNative(config, trunk);
}

function encodeBoson(config: HiggsConfig, trunk: Record<string, unknown>): Record<string, unknown> {
  const rope = {
    rope_type: "llama3",
    factor: 32,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  return {
    model_type: "higgs_audio",
    text_config: {
      ...trunk,
      model_type: "llama",
      max_position_embeddings: 131_072,
      rope_theta: 500_000,
      rope_scaling: rope,
      tie_word_embeddings: true,
    },
    audio_adapter_type: "dual_ffn_fast_forward",
    audio_dual_ffn_layers: Array.from({ length: config.numHiddenLayers }, (_, layer) => layer),
    audio_ffn_hidden_size: 4096,
    audio_ffn_intermediate_size: 14_336,
    use_audio_out_self_attention: 0,
    use_audio_out_embed_projector: false,
    audio_embed_avg: false,
    audio_decoder_proj_num_layers: 0,
    use_rq_transformer: false,
    encode_whisper_embed: false,
    encode_audio_in_tokens: true,
    use_delay_pattern: true,
    skip_audio_tower: true,
    audio_num_codebooks: config.numCodebooks,
    audio_codebook_size: config.idsPerCodebook - 2,
    audio_stream_bos_id: config.audioStreamBosId,
    audio_stream_eos_id: config.audioStreamEosId,
    audio_in_token_idx: config.audioInTokenId,
    audio_out_token_idx: config.audioTokenId,
    audio_out_bos_token_id: config.audioBosTokenId,
    audio_eos_token_id: config.audioEosTokenId,
    pad_token_id: config.padTokenId,
  };
}

function encodeNative(config: HiggsConfig, trunk: Record<string, unknown>): Record<string, unknown> {
  const rope = {
    rope_type: "llama3",
    rope_theta: 500_000,
    factor: 32,
    low_freq_factor: 0.125,
    high_freq_factor: 0.5,
    original_max_position_embeddings: 1024,
  };
  return {
    ...trunk,
    model_type: "higgs_audio_v2",
    max_position_embeddings: 2048,
    rope_parameters: rope,
    num_codebooks: config.numCodebooks,
    codebook_size: config.idsPerCodebook,
    audio_stream_bos_id: config.audioStreamBosId,
    audio_stream_eos_id: config.audioStreamEosId,
    audio_token_id: config.audioTokenId,
    audio_bos_token_id: config.audioBosTokenId,
    audio_delay_token_id: 38,
    pad_token_id: config.padTokenId,
    tie_word_embeddings: false,
  };
}

/** The tensors of a generation model in one layout, with values that depend only on the canonical name. */
export function makeLmTensors(
  config: HiggsConfig,
  layout: CheckpointLayout,
  dtype: TensorDtype = "BF16",
): TestTensor[] {
  const canonical = listLmTensors(config, layout);
  return [...listLmManifest(config, layout)].map(([name, shape], index) => ({
    name,
    dtype,
    shape,
    data: makeBytes(canonical[index]?.name ?? name, shape, dtype),
  }));
}

/** Pseudo-random bytes that are ordinary numbers in bf16, f16 and f32: |x| between 0.25 and 2. */
export function makeBytes(seedText: string, shape: readonly number[], dtype: TensorDtype): Uint8Array {
  const bytes = new Uint8Array(countElements(shape) * DTYPE_BYTES[dtype]);
  const itemBytes = DTYPE_BYTES[dtype];
  let state = -2_128_831_035;
  for (const letter of seedText) state = Math.imul(state ^ letter.charCodeAt(0), 16_777_619);
  for (let index = 0; index < bytes.length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    const isTop = index % itemBytes === itemBytes - 1;
    bytes[index] = isTop ? 0x3f - ((state >>> 30) & 1) : (state >>> 24) & 0xff;
    if (isTop && (state >>> 29) % 2 === 1) bytes[index] = (bytes[index] ?? 0) | 0x80;
  }
  return bytes;
}

/** Writes a generation model in one file and returns its folder. */
export function writeLmCheckpoint(
  folder: string,
  layout: CheckpointLayout,
  config: HiggsConfig = SMALL_HIGGS_CONFIG,
  tensors: readonly TestTensor[] = makeLmTensors(config, layout),
): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(encodeHiggsConfig(config, layout)));
  writeFileSync(join(folder, "model.safetensors"), encodeSafetensors(tensors));
  return folder;
}
