import { type Ggml, type TensorType, quantizeRows, rowBytes } from "@higgs-worker/ggml";
import type { HiggsConfig } from "../../checkpoint/lm-config.ts";
import { listLmTensors } from "../../checkpoint/lm-tensors.ts";
import { type WeightFormat, weightType } from "../../checkpoint/weight-format.ts";
import type { WeightChunk, WeightSource, WeightTensor } from "../weight-source.ts";

export interface SeededWeightOptions {
  readonly seed: number;
  /** Default f32, as exact as it gets. */
  readonly format?: WeightFormat | "f32";
  /** Changes the values of a tensor in place; rows as in PyTorch, one after the other. */
  readonly change?: (name: string, values: Float32Array) => void;
}

/**
 * A small model with other weights in every tensor, so that no two can be confused, and large enough to make attention
 * sharp: a model whose scores are all about zero would hide most mistakes. The same values for the same seed and name.
 */
export class SeededWeightSource implements WeightSource {
  readonly config: HiggsConfig;
  readonly tensors: ReadonlyMap<string, WeightTensor>;
  readonly #ggml: Ggml;
  readonly #options: SeededWeightOptions;

  constructor(ggml: Ggml, config: HiggsConfig, options: SeededWeightOptions) {
    const { format = "f32" } = options;
    this.#ggml = ggml;
    this.#options = options;
    this.config = config;
    const needed = listLmTensors(config, config.layout).filter(({ isOptional }) => !isOptional);
    this.tensors = new Map(
      needed.map(({ name, shape }) => {
        const ggmlShape = shape.toReversed();
        const type = format === "f32" ? format : weightType(name, ggmlShape, format);
        return [name, { name, type, shape: ggmlShape }];
      }),
    );
  }

  async *stream(name: string, type: TensorType): AsyncGenerator<WeightChunk> {
    const { type: stored, shape } = this.#tensor(name);
    if (type !== stored) throw new RangeError(`Cannot read ${name} as ${type}: it is stored as ${stored}`);
    const [rowLength = 1] = shape;
    const values = this.values(name);
    if (type === "f32") {
      yield { byteOffset: 0, bytes: new Uint8Array(values.buffer) };
      return;
    }
    const bytes = new Uint8Array((values.length / rowLength) * rowBytes(type, rowLength));
    quantizeRows(this.#ggml, type, values, bytes, rowLength);
    yield { byteOffset: 0, bytes };
  }

  /** A whole tensor before it is brought into its type. */
  values(name: string): Float32Array {
    const { shape } = this.#tensor(name);
    const { center, spread } = rangeOf(name, shape, this.config);
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    let state = hashName(name, this.#options.seed);
    for (let i = 0; i < values.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      values[i] = center + (state / 2 ** 31) * spread;
    }
    this.#options.change?.(name, values);
    return values;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #tensor(name: string): WeightTensor {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new RangeError(`Cannot read ${name}: the model has no such tensor`);
    return tensor;
  }
}

/** Uniform in center ± spread. Gains above 1 in q, k and the head make scores and logits differ by several units. */
function rangeOf(name: string, shape: readonly number[], config: HiggsConfig): { center: number; spread: number } {
  if (name.includes("norm")) return { center: 1, spread: 0.5 };
  if (name === "token_embd.weight") return { center: 0, spread: Math.sqrt(3) };
  if (name === "audio_embd.weight") return { center: 0, spread: Math.sqrt(3 / config.numCodebooks) };
  const gain = /attn_[qk]|ffn_gate/.test(name) ? 1.5 : name === "audio_output.weight" ? 2 : 1;
  return { center: 0, spread: gain * Math.sqrt(3 / (shape[0] ?? 1)) };
}

/** FNV-1a over the name, mixed with the seed; never 0, where xorshift would stay. */
function hashName(name: string, seed: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b9);
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash === 0 ? 1 : hash;
}
