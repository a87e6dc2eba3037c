import { type Ggml, type TensorType, quantizeRows, rowBytes } from "@higgs-worker/ggml";
import type { HiggsConfig } from "../checkpoint/lm-config.ts";
import { listLmTensors } from "../checkpoint/lm-tensors.ts";
import { type WeightFormat, weightType } from "../checkpoint/weight-format.ts";
import type { WeightChunk, WeightSource, WeightTensor } from "./weight-source.ts";

/** Values made once per row length; tensors repeat them. */
const BLOCK_VALUES = 1 << 20;
/** Keeps the activations of a deep random trunk finite and of order one. */
const SPREAD = 0.02;

/**
 * A model of given shapes with random weights, for measurements: the real sizes and types without a checkpoint, and without
 * memory beyond what a loaded model takes. Deterministic.
 */
export class RandomWeightSource implements WeightSource {
  readonly config: HiggsConfig;
  readonly tensors: ReadonlyMap<string, WeightTensor>;
  readonly #ggml: Ggml;
  readonly #blocks = new Map<string, Uint8Array>();

  constructor(ggml: Ggml, config: HiggsConfig, format: WeightFormat) {
    this.#ggml = ggml;
    this.config = config;
    const needed = listLmTensors(config, config.layout).filter(({ isOptional }) => !isOptional);
    this.tensors = new Map(
      needed.map(({ name, shape }) => {
        const ggmlShape = shape.toReversed();
        return [name, { name, type: weightType(name, ggmlShape, format), shape: ggmlShape }];
      }),
    );
  }

  async *stream(name: string, type: TensorType, signal?: AbortSignal): AsyncGenerator<WeightChunk> {
    const shape = this.tensors.get(name)?.shape ?? [];
    const [rowLength = 1, rowCount = 1] = shape;
    const block = this.#block(type, rowLength, shape.length === 1 ? 1 : 0);
    const total = rowBytes(type, rowLength) * rowCount;
    for (let byteOffset = 0; byteOffset < total; byteOffset += block.byteLength) {
      signal?.throwIfAborted();
      yield { byteOffset, bytes: block.subarray(0, total - byteOffset) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#blocks.clear();
  }

  /** Whole rows around `mean`, quantized once. */
  #block(type: TensorType, rowLength: number, mean: number): Uint8Array {
    const key = `${type}-${rowLength}-${mean}`;
    let block = this.#blocks.get(key);
    if (block === undefined) {
      const rows = Math.max(1, Math.floor(BLOCK_VALUES / rowLength));
      const values = randomValues(rows * rowLength, mean);
      block = type === "f32" ? new Uint8Array(values.buffer) : new Uint8Array(rows * rowBytes(type, rowLength));
      if (type !== "f32") quantizeRows(this.#ggml, type, values, block, rowLength);
      this.#blocks.set(key, block);
    }
    return block;
  }
}

/** Uniform numbers of standard deviation SPREAD around `mean`, from a linear congruential generator. */
function randomValues(count: number, mean: number): Float32Array {
  const width = SPREAD * Math.sqrt(12);
  let state = 12345;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return mean + (state / 2 ** 32 - 0.5) * width;
  });
}
