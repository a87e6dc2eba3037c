import { throwIfCancelled } from "@higgs-worker/base";
import { type Ggml, GgufFile, type GgufTensorInfo, type TensorType } from "@higgs-worker/ggml";
import { readConversionFacts } from "../checkpoint/convert/metadata.ts";
import { DEFAULT_CHUNK_BYTES } from "../checkpoint/limits.ts";
import type { HiggsConfig } from "../checkpoint/lm-config.ts";
import type { WeightChunk, WeightSource, WeightTensor } from "./weight-source.ts";

/** The weights of a converted model in the cache folder. */
export class GgufWeightSource implements WeightSource {
  readonly config: HiggsConfig;
  readonly tensors: ReadonlyMap<string, WeightTensor>;
  readonly #file: GgufFile;

  private constructor(file: GgufFile) {
    this.#file = file;
    this.config = readConversionFacts(file).config;
    this.tensors = file.tensors;
  }

  /**
   * Opens a converted model.
   *
   * @throws {HiggsError} MODEL_CORRUPT when `convertCheckpoint` did not make the file
   * @throws {GgmlError} `gguf-invalid` when it is damaged
   */
  static open(ggml: Ggml, path: string): GgufWeightSource {
    const file = GgufFile.open(ggml, path);
    try {
      return new GgufWeightSource(file);
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  async *stream(name: string, type: TensorType, signal?: AbortSignal): AsyncGenerator<WeightChunk> {
    const tensor = this.#tensor(name);
    if (tensor.type !== type) throw new RangeError(`Cannot read ${name} as ${type}: it is stored as ${tensor.type}`);
    const buffer = new Uint8Array(Math.min(DEFAULT_CHUNK_BYTES, tensor.byteLength));
    for (let byteOffset = 0; byteOffset < tensor.byteLength; byteOffset += buffer.byteLength) {
      throwIfCancelled(signal, "load the model");
      const bytes = buffer.subarray(0, tensor.byteLength - byteOffset);
      await this.#file.read(tensor, bytes, byteOffset);
      yield { byteOffset, bytes };
    }
  }

  readInto(name: string, target: Uint8Array, byteOffset: number): Promise<void> {
    return this.#file.read(this.#tensor(name), target, byteOffset);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#file[Symbol.dispose]();
  }

  #tensor(name: string): GgufTensorInfo {
    const tensor = this.#file.tensors.get(name);
    if (tensor === undefined) throw new RangeError(`Cannot read ${name}: the model has no such tensor`);
    return tensor;
  }
}
