import { closeSync, openSync, read, readSync, statSync } from "node:fs";
import type { Bindings, Pointer } from "./bindings.ts";
import { GgmlError } from "./errors.ts";
import type { Ggml } from "./ggml.ts";
import { type Shape, byteLengthOf } from "./tensor.ts";
import { type TensorType, tensorTypeOf } from "./types.ts";

export interface GgufTensorInfo {
  readonly name: string;
  readonly type: TensorType;
  /** Fastest dimension first. */
  readonly shape: Shape;
  /** From the start of the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** gguf_type ids of the kinds of values that this package writes and reads. */
const VALUE_TYPE = { uint32: 4, string: 8 } as const;
/** "GGUF", little-endian. */
const MAGIC = 0x46554747;

/**
 * Metadata of a GGUF file; the data stays on disk and is read with `read`. Close it by disposing.
 */
export class GgufFile implements Disposable {
  readonly path: string;
  readonly strings: ReadonlyMap<string, string>;
  readonly numbers: ReadonlyMap<string, number>;
  readonly tensors: ReadonlyMap<string, GgufTensorInfo>;
  #fd: number | null;

  private constructor(path: string, fd: number, contents: Contents) {
    this.path = path;
    this.#fd = fd;
    this.strings = contents.strings;
    this.numbers = contents.numbers;
    this.tensors = contents.tensors;
  }

  /**
   * Opens and checks a file.
   *
   * @throws {GgmlError} `gguf-invalid` when it is not a GGUF file or is cut short
   */
  static open(ggml: Ggml, path: string): GgufFile {
    if (!statSync(path).isFile()) throw new GgmlError("gguf-invalid", `read ${path}`, "it is not a regular file");
    const fd = openSync(path, "r");
    try {
      const magic = Buffer.alloc(4);
      if (readSync(fd, magic, 0, 4, 0) !== 4 || magic.readUInt32LE(0) !== MAGIC) {
        throw new GgmlError("gguf-invalid", `read ${path}`, "it is not a GGUF file");
      }
      const pointer = ggml.native.ggufInitFromFile(path, { no_alloc: true, ctx: null });
      if (pointer === null) throw new GgmlError("gguf-invalid", `read ${path}`, "its GGUF metadata is damaged");
      try {
        return new GgufFile(path, fd, readContents(ggml.native, pointer, path, statSync(path).size));
      } finally {
        ggml.native.ggufFree(pointer);
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /**
   * Fills `target` with a tensor's bytes from `byteOffset` on, on a thread of Node's pool, so that several calls use several
   * cores. `target` may be native memory; neither it nor the file may go away before the promise settles.
   *
   * @throws {GgmlError} `gguf-invalid` when the file ends early
   * @throws {GgmlError} `disposed` when it is closed
   */
  async read(tensor: GgufTensorInfo, target: Uint8Array, byteOffset = 0): Promise<void> {
    if (this.#fd === null) throw new GgmlError("disposed", `read ${this.path}`, "it is closed");
    let done = 0;
    while (done < target.byteLength) {
      const count = await readAt(this.#fd, target.subarray(done), tensor.byteOffset + byteOffset + done);
      if (count === 0)
        throw new GgmlError("gguf-invalid", `read tensor ${tensor.name} of ${this.path}`, "the file ends early");
      done += count;
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

function readAt(fd: number, target: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, target, 0, target.byteLength, position, (error, count) =>
      error === null ? resolve(count) : reject(error),
    );
  });
}

interface Contents {
  strings: Map<string, string>;
  numbers: Map<string, number>;
  tensors: Map<string, GgufTensorInfo>;
}

function readContents(native: Bindings, gguf: Pointer, path: string, fileBytes: number): Contents {
  const contents: Contents = { strings: new Map(), numbers: new Map(), tensors: new Map() };
  for (let id = 0; id < native.ggufKeyCount(gguf); id++) {
    const key = native.ggufKey(gguf, id);
    const type = native.ggufKeyType(gguf, id);
    if (type === VALUE_TYPE.string) contents.strings.set(key, native.ggufValStr(gguf, id));
    if (type === VALUE_TYPE.uint32) contents.numbers.set(key, native.ggufValU32(gguf, id));
  }
  const dataOffset = native.ggufDataOffset(gguf);
  for (let id = 0; id < native.ggufTensorCount(gguf); id++) {
    const info = readTensorInfo(native, gguf, id, dataOffset);
    if (info.byteLength !== byteLengthOf(info.type, info.shape) || info.byteOffset + info.byteLength > fileBytes) {
      throw new GgmlError(
        "gguf-invalid",
        `read ${path}`,
        `tensor ${info.name} lies outside the file (got ${info.byteOffset} + ${info.byteLength}, limit ${fileBytes})`,
      );
    }
    contents.tensors.set(info.name, info);
  }
  return contents;
}

function readTensorInfo(native: Bindings, gguf: Pointer, id: number, dataOffset: number): GgufTensorInfo {
  const name = native.ggufTensorName(gguf, id);
  const typeId = native.ggufTensorType(gguf, id);
  const type = tensorTypeOf(typeId);
  if (type === undefined) {
    throw new GgmlError("gguf-invalid", `read tensor ${name}`, `its type ${native.typeName(typeId)} is not supported`);
  }
  const bytes = native.view(native.ggufTensorShape(gguf, id), 32);
  const sizes = new DataView(bytes.buffer, bytes.byteOffset, 32);
  const size = (axis: number): number => Number(sizes.getBigInt64(axis * 8, true));
  return {
    name,
    type,
    shape: [size(0), size(1), size(2), size(3)],
    byteOffset: dataOffset + native.ggufTensorOffset(gguf, id),
    byteLength: native.ggufTensorSize(gguf, id),
  };
}
