import path from "node:path";
import { openSafetensors, type TensorInfo, type TensorSource } from "@higgs-worker/higgs-audio/parts";

/**
 * Tensors of one safetensors file of a golden set, read as needed.
 *
 * @throws {Error} naming what is missing
 */
export class GoldenTensors implements AsyncDisposable {
  readonly #source: TensorSource;
  readonly #file: string;

  private constructor(source: TensorSource, file: string) {
    this.#source = source;
    this.#file = file;
  }

  static async open(directory: string, relativePath: string): Promise<GoldenTensors> {
    return new GoldenTensors(await openSafetensors(path.join(directory, relativePath)), relativePath);
  }

  get names(): string[] {
    return [...this.#source.tensors.keys()];
  }

  has(name: string): boolean {
    return this.#source.tensors.has(name);
  }

  shape(name: string): readonly number[] {
    return this.#info(name, null).shape;
  }

  async float32(name: string): Promise<Float32Array> {
    return new Float32Array(await this.#read(this.#info(name, "F32")));
  }

  async int32(name: string): Promise<Int32Array> {
    return new Int32Array(await this.#read(this.#info(name, "I32")));
  }

  async int16(name: string): Promise<Int16Array> {
    return new Int16Array(await this.#read(this.#info(name, "I16")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.close();
  }

  async #read(info: TensorInfo): Promise<ArrayBuffer> {
    const bytes = new Uint8Array(info.byteLength);
    await this.#source.readInto(info.name, bytes);
    return bytes.buffer;
  }

  #info(name: string, dtype: TensorInfo["dtype"] | null): TensorInfo {
    const info = this.#source.tensors.get(name);
    if (info === undefined) throw new Error(`${this.#file}: tensor ${name} is missing`);
    if (dtype !== null && info.dtype !== dtype) {
      throw new Error(`${this.#file}: tensor ${name} has the type ${info.dtype}, expected ${dtype}`);
    }
    return info;
  }
}
