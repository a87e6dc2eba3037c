import type { Pointer } from "./bindings.ts";
import { GgmlError } from "./errors.ts";
import type { Ggml } from "./ggml.ts";
import { toShape } from "./tensor.ts";
import { TensorArena } from "./tensor-arena.ts";
import type { TensorType } from "./types.ts";

/** Where the data of each tensor goes, and the bytes that stand before it. */
export interface GgufHeader {
  /** Metadata, padded; the file starts with it. */
  readonly bytes: Uint8Array;
  /** Absolute file offset of each tensor. */
  readonly offsets: ReadonlyMap<string, number>;
}

/**
 * Makes the metadata of a GGUF file. The caller writes the header and streams each tensor's data to its offset, so that
 * files of any size need no memory.
 */
export class GgufWriter implements Disposable {
  readonly #ggml: Ggml;
  readonly #arena: TensorArena;
  readonly #names: string[] = [];
  #gguf: Pointer | null;

  constructor(ggml: Ggml, options: { maxTensors: number }) {
    this.#ggml = ggml;
    this.#arena = new TensorArena(ggml, options);
    this.#gguf = ggml.native.ggufInitEmpty();
  }

  setString(key: string, value: string): void {
    this.#ggml.native.ggufSetStr(this.#live(), key, value);
  }

  setUint32(key: string, value: number): void {
    this.#ggml.native.ggufSetU32(this.#live(), key, value);
  }

  /** Adds a tensor; dimensions fastest first. Tensors are laid out in the order of the calls. */
  addTensor(name: string, type: TensorType, ...dimensions: readonly number[]): void {
    const tensor = this.#arena.define(name, type, ...toShape(dimensions));
    this.#ggml.native.ggufAddTensor(this.#live(), tensor.pointer);
    this.#names.push(name);
  }

  header(): GgufHeader {
    const gguf = this.#live();
    const { native } = this.#ggml;
    const bytes = new Uint8Array(native.ggufMetaSize(gguf));
    native.ggufMetaData(gguf, bytes);
    const offsets = new Map<string, number>();
    for (const [id, name] of this.#names.entries())
      offsets.set(name, bytes.byteLength + native.ggufTensorOffset(gguf, id));
    return { bytes, offsets };
  }

  [Symbol.dispose](): void {
    if (this.#gguf !== null) this.#ggml.native.ggufFree(this.#gguf);
    this.#gguf = null;
    this.#arena[Symbol.dispose]();
  }

  #live(): Pointer {
    if (this.#gguf === null) throw new GgmlError("disposed", "use the GGUF writer", "it is disposed");
    return this.#gguf;
  }
}
