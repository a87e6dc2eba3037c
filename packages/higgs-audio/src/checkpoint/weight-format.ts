import { TENSOR_TYPES, type TensorType } from "@higgs-worker/ggml";

/** How the weights of the generation model are kept (`HIGGS_WEIGHTS`). */
export const WEIGHT_FORMATS = ["bf16", "q8_0", "q4_k"] as const;
export type WeightFormat = (typeof WEIGHT_FORMATS)[number];

/** Text embeddings are kept on the host and only looked up: smaller ones would make no step faster. */
const LOOKED_UP = new Set(["token_embd.weight"]);

/** Small tensors on which every sampled code depends directly (spec model §3.3.6). */
const AT_LEAST_8_BITS = new Set(["audio_embd.weight", "audio_output.weight"]);

/** Types to fall back to when a row is not a whole number of blocks. */
const FALLBACKS: Readonly<Record<WeightFormat, readonly TensorType[]>> = {
  bf16: ["bf16"],
  q8_0: ["q8_0", "bf16"],
  q4_k: ["q4_k", "q8_0", "bf16"],
};

/**
 * Type that a tensor of the generation model has in a format.
 *
 * @param name GGUF-style name
 * @param shape ggml order, row length first
 */
export function weightType(name: string, shape: readonly number[], format: WeightFormat): TensorType {
  if (shape.length === 1) return "f32";
  if (LOOKED_UP.has(name)) return "bf16";
  const wanted = AT_LEAST_8_BITS.has(name) && format === "q4_k" ? "q8_0" : format;
  const rowLength = shape[0] ?? 1;
  return FALLBACKS[wanted].find((type) => rowLength % TENSOR_TYPES[type].blockSize === 0) ?? "bf16";
}
