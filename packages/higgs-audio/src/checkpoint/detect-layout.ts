import { clip, unsupported } from "./checkpoint-error.ts";
import type { CheckpointLayout } from "./lm-config.ts";
import type { JsonObject } from "./strict-json.ts";
import type { TensorInfo } from "./tensor-source.ts";

type Tensors = ReadonlyMap<string, TensorInfo>;

/** Layout of a generation model: what `model_type` says, else what the tensors are called (spec model §3.3.4). */
export function detectLmLayout(config: JsonObject, tensors: Tensors): CheckpointLayout {
  const modelType = config["model_type"];
  if (modelType === "higgs_audio") return "boson";
  if (modelType === "higgs_audio_v2") return "native";
  if (modelType !== undefined) {
    throw unsupported("config.json", `it is of another model (got model_type ${clip(JSON.stringify(modelType))})`);
  }
  if (hasAny(tensors, "embed_tokens.")) return "boson";
  if (hasAny(tensors, "model.embed_tokens.")) return "native";
  throw unsupported("config.json", "it has no model_type, and no tensor is called embed_tokens");
}

/** Layout of an audio tokenizer, by the names of its decoder's tensors (spec model §9.9). */
export function detectCodecLayout(tensors: Tensors): CheckpointLayout {
  if (hasAny(tensors, "decoder_2.")) return "boson";
  if (hasAny(tensors, "acoustic_decoder.")) return "native";
  throw unsupported("the audio tokenizer", "no tensor is called decoder_2 or acoustic_decoder");
}

function hasAny(tensors: Tensors, prefix: string): boolean {
  for (const name of tensors.keys()) if (name.startsWith(prefix)) return true;
  return false;
}
