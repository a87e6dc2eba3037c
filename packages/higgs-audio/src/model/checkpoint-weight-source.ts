import type { TensorType } from "@higgs-worker/ggml";
import type { FloatDtype } from "../checkpoint/convert-dtype.ts";
import type { HiggsConfig } from "../checkpoint/lm-config.ts";
import { type LmCheckpoint, openCheckpoint } from "../checkpoint/open-checkpoint.ts";
import type { WeightChunk, WeightSource, WeightTensor } from "./weight-source.ts";

/** f64 has no place on a device; such tensors are narrowed to f32. */
export const HELD_TYPES: Readonly<Record<FloatDtype, TensorType>> = {
  F32: "f32",
  F16: "f16",
  BF16: "bf16",
  F64: "f32",
};

/** The weights of a checkpoint in either layout, as stored. */
export class CheckpointWeightSource implements WeightSource {
  readonly tensors: ReadonlyMap<string, WeightTensor>;
  readonly #checkpoint: LmCheckpoint;

  constructor(checkpoint: LmCheckpoint) {
    this.#checkpoint = checkpoint;
    this.tensors = new Map(
      [...checkpoint.tensors].map(([name, { dtype, shape }]) => [
        name,
        { name, type: HELD_TYPES[dtype], shape: shape.toReversed() },
      ]),
    );
  }

  /**
   * Opens a checkpoint in either layout.
   *
   * @throws as `openCheckpoint`
   */
  static async open(directory: string): Promise<CheckpointWeightSource> {
    return new CheckpointWeightSource(await openCheckpoint(directory));
  }

  get config(): HiggsConfig {
    return this.#checkpoint.config;
  }

  async *stream(name: string, type: TensorType, signal?: AbortSignal): AsyncGenerator<WeightChunk> {
    const { dtype } = this.#checkpoint.tensor(name);
    let byteOffset = 0;
    if (type === HELD_TYPES[dtype] && dtype !== "F64") {
      for await (const { bytes } of this.#checkpoint.streamRows(name, { signal })) {
        yield { byteOffset, bytes };
        byteOffset += bytes.byteLength;
      }
      return;
    }
    if (type !== "f32") throw new RangeError(`Cannot read ${name} as ${type}: it is stored as ${dtype}`);
    for await (const { values } of this.#checkpoint.streamRowsF32(name, { signal })) {
      yield { byteOffset, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
      byteOffset += values.byteLength;
    }
  }

  /** A whole tensor in f32, also one that the model does not need (the text head); null when the checkpoint has none. */
  async readOptional(name: string): Promise<Float32Array | null> {
    const { tensors, optionalTensors } = this.#checkpoint;
    return tensors.has(name) || optionalTensors.has(name) ? await this.#checkpoint.readF32(name) : null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#checkpoint.close();
  }
}
