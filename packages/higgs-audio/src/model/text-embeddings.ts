import { HiggsError } from "@higgs-worker/base";
import type { TensorType } from "@higgs-worker/ggml";
import { convertToF32, type FloatDtype } from "../checkpoint/convert-dtype.ts";
import { DTYPE_BYTES } from "../checkpoint/tensor-source.ts";
import type { WeightTensor } from "./weight-source.ts";

const DTYPES: Partial<Record<TensorType, FloatDtype>> = { f32: "F32", f16: "F16", bf16: "BF16" };

/**
 * The table of text embeddings in the host's memory, as stored: a prompt needs a few hundred of its rows, a device needs none. They are not read from the file when they are needed, because the file of a loaded model can be cut or replaced.
 */
export class TextEmbeddings {
  readonly type: TensorType;
  readonly #dtype: FloatDtype;
  readonly #rowLength: number;
  readonly #rowCount: number;
  readonly #bytes: Uint8Array;

  /**
   * Allocates the table.
   *
   * @throws {HiggsError} OUT_OF_MEMORY when the host has too little memory (788 MB for the released model)
   */
  constructor({ name, type, shape }: WeightTensor) {
    const dtype = DTYPES[type];
    const [rowLength = 0, rowCount = 0] = shape;
    if (dtype === undefined) throw new RangeError(`Cannot keep ${name} in memory: ${type} is not a float type`);
    this.type = type;
    this.#dtype = dtype;
    this.#rowLength = rowLength;
    this.#rowCount = rowCount;
    this.#bytes = allocate(rowLength * rowCount * DTYPE_BYTES[dtype]);
  }

  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  /** The table's own memory, in the stored type. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Copies stored bytes into the table from `byteOffset` on. */
  set(bytes: Uint8Array, byteOffset = 0): void {
    this.#bytes.set(bytes, byteOffset);
  }

  /**
   * Rows one after the other: f32 [rowLength · ids.length].
   *
   * @throws {RangeError} when an id is outside the vocabulary
   */
  rows(ids: ArrayLike<number>): Float32Array {
    const values = new Float32Array(ids.length * this.#rowLength);
    const rowBytes = this.#rowLength * DTYPE_BYTES[this.#dtype];
    for (let index = 0; index < ids.length; index++) {
      const id = ids[index] ?? -1;
      if (!(id >= 0 && id < this.#rowCount)) {
        throw new RangeError(`Cannot read text embedding ${id}: the vocabulary has ${this.#rowCount}`);
      }
      const row = this.#bytes.subarray(id * rowBytes, (id + 1) * rowBytes);
      convertToF32(this.#dtype, row, values.subarray(index * this.#rowLength, (index + 1) * this.#rowLength));
    }
    return values;
  }
}

function allocate(byteLength: number): Uint8Array {
  try {
    return new Uint8Array(byteLength);
  } catch (error) {
    const reason = `the text embeddings do not fit the memory (got ${byteLength} bytes)`;
    throw new HiggsError("OUT_OF_MEMORY", "load the model", reason, { cause: error });
  }
}
