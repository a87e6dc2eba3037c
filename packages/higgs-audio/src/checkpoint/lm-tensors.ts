import type { CheckpointLayout, HiggsConfig } from "./lm-config.ts";
import type { ExpectedTensor, StoredForm } from "./tensor-plan.ts";

/** Canonical name of the text head. It is optional and never needed to make audio (spec model §2.4). */
export const TEXT_HEAD = "output.weight";

/** The part of the configuration that decides shapes. */
export type LmShapes = Pick<
  HiggsConfig,
  | "hiddenSize"
  | "intermediateSize"
  | "numHiddenLayers"
  | "numAttentionHeads"
  | "numKeyValueHeads"
  | "headDim"
  | "vocabSize"
  | "numCodebooks"
  | "idsPerCodebook"
>;

/**
 * Every tensor of the generation model under its canonical (GGUF-style) name, with the names of both layouts
 * (spec model §3.1 to §3.3). Nothing is permuted or transposed between the layouts.
 */
export function listLmTensors(shapes: LmShapes, layout: CheckpointLayout): ExpectedTensor[] {
  const { hiddenSize, vocabSize, numCodebooks, idsPerCodebook, numHiddenLayers } = shapes;
  const trunk = layout === "native" ? "model." : "";
  const audioRows = numCodebooks * idsPerCodebook;
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) => listLayer(shapes, trunk, layer));
  const audioEmbeddings =
    layout === "native" ? "model.embed_audio_tokens.embed_audio_tokens" : "audio_codebook_embeddings";
  return [
    tensor(
      "token_embd.weight",
      [vocabSize, hiddenSize],
      [whole(`${trunk}embed_tokens.weight`), split(`${trunk}embed_tokens.embedding`)],
    ),
    ...layers.flat(),
    tensor("output_norm.weight", [hiddenSize], [whole(`${trunk}norm.weight`)]),
    tensor("audio_embd.weight", [audioRows, hiddenSize], [whole(`${audioEmbeddings}.weight`)]),
    tensor("audio_output.weight", [audioRows, hiddenSize], headForms("audio_lm_head")),
    { ...tensor(TEXT_HEAD, [vocabSize, hiddenSize], headForms("text_lm_head")), isOptional: true },
  ];
}

function listLayer(shapes: LmShapes, trunk: string, layer: number): ExpectedTensor[] {
  const { hiddenSize: hidden, intermediateSize: wide, headDim } = shapes;
  const queries = shapes.numAttentionHeads * headDim;
  const keys = shapes.numKeyValueHeads * headDim;
  const rows: readonly (readonly [canonical: string, stored: string, shape: readonly number[]])[] = [
    ["attn_norm", "input_layernorm", [hidden]],
    ["attn_norm_audio", "audio_input_layernorm", [hidden]],
    ["attn_q", "self_attn.q_proj", [queries, hidden]],
    ["attn_k", "self_attn.k_proj", [keys, hidden]],
    ["attn_v", "self_attn.v_proj", [keys, hidden]],
    ["attn_output", "self_attn.o_proj", [hidden, queries]],
    ["ffn_norm", "post_attention_layernorm", [hidden]],
    ["ffn_norm_audio", "audio_post_attention_layernorm", [hidden]],
    ["ffn_gate", "mlp.gate_proj", [wide, hidden]],
    ["ffn_up", "mlp.up_proj", [wide, hidden]],
    ["ffn_down", "mlp.down_proj", [hidden, wide]],
    ["ffn_gate_audio", "audio_mlp.gate_proj", [wide, hidden]],
    ["ffn_up_audio", "audio_mlp.up_proj", [wide, hidden]],
    ["ffn_down_audio", "audio_mlp.down_proj", [hidden, wide]],
  ];
  return rows.map(([canonical, stored, shape]) =>
    tensor(`blk.${layer}.${canonical}.weight`, shape, [whole(`${trunk}layers.${layer}.${stored}.weight`)]),
  );
}

/** A head without the old prefix is preferred (spec model §3.3.3); fine-tunes may hold it in two parts (spec model §3.3.2). */
function headForms(head: string): StoredForm[] {
  return ["", "audio_decoder_proj."].flatMap((prefix) => [
    whole(`${prefix}${head}.weight`),
    split(`${prefix}${head}.linear`),
  ]);
}

function tensor(name: string, shape: readonly number[], forms: readonly StoredForm[]): ExpectedTensor {
  return { name, shape, forms, isOptional: false };
}

function whole(name: string): StoredForm {
  return { kind: "rows", names: [name] };
}

/** The rows of the base model, then those that were added and trained. */
function split(name: string): StoredForm {
  return { kind: "rows", names: [`${name}_frozen.weight`, `${name}_trainable.weight`] };
}

/** Buffers and training leftovers (spec model §3.3.1). */
const IGNORABLE_SUFFIXES = ["audio_codebook_weights", "rotary_emb.inv_freq", "rotary_emb.original_inv_freq"];

/** The Whisper tower of other models of the family; the configuration check makes sure that it is not used. */
const IGNORABLE_PREFIXES = ["audio_tower.", "audio_encoder_proj."];

export function isIgnorableLmTensor(name: string): boolean {
  return (
    IGNORABLE_SUFFIXES.some((suffix) => name.endsWith(suffix)) ||
    IGNORABLE_PREFIXES.some((prefix) => name.startsWith(prefix))
  );
}
