import type { TensorType } from "@higgs-worker/ggml";
import type { HiggsConfig } from "../checkpoint/lm-config.ts";

/** A tensor as the file holds it. */
export interface WeightTensor {
  readonly name: string;
  readonly type: TensorType;
  /** ggml order, fastest dimension first. */
  readonly shape: readonly number[];
}

/** Consecutive bytes of a tensor. `bytes` is reused: copy it before the next one is asked for. */
export interface WeightChunk {
  readonly byteOffset: number;
  readonly bytes: Uint8Array;
}

/**
 * Where the weights come from: a checkpoint of either layout, a converted GGUF file, or random numbers. Names are the
 * GGUF-style ones of `HiggsWeights`.
 */
export interface WeightSource extends AsyncDisposable {
  readonly config: HiggsConfig;
  readonly tensors: ReadonlyMap<string, WeightTensor>;
  /**
   * Bytes of a tensor in order, as `type`: its own type, or f32 for one that is stored as f32, f16 or bf16.
   *
   * @throws {HiggsError} MODEL_CORRUPT when the file ends early
   * @throws {HiggsError} CANCELLED when the signal fires
   */
  stream(name: string, type: TensorType, signal?: AbortSignal): AsyncIterable<WeightChunk>;
  /**
   * Fills `target` with a part of a tensor in its own type, from `byteOffset` on; calls may overlap. Only sources that hold the
   * bytes as they are have it. The source must not be disposed before all promises have settled.
   *
   * @throws as `stream`
   */
  readInto?(name: string, target: Uint8Array, byteOffset: number): Promise<void>;
}
