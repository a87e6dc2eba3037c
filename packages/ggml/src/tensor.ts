import type { Bindings, NativeBuffer, Pointer } from "./bindings.ts";
import { GgmlError } from "./errors.ts";
import { TENSOR_TYPES, type TensorType } from "./types.ts";

/** Four dimensions, fastest first, as in ggml's `ne`. */
export type Shape = readonly [number, number, number, number];

/**
 * Handle of a ggml tensor. Shape and strides are kept on our side, so that operands can be checked before ggml, which aborts
 * the process on a wrong one, sees them. The handle is valid as long as the arena or graph that made it.
 */
export class Tensor {
  readonly native: Bindings;
  readonly pointer: Pointer;
  readonly type: TensorType;
  /** `[ne0, ne1, ne2, ne3]`, ne0 fastest. */
  readonly shape: Shape;
  /** Bytes between neighbors along each dimension, as in ggml's `nb`. */
  readonly strides: Shape;
  /** Memory, once a tensor has it, is its own until the handle ends. */
  #isAllocated = false;
  /** Whether its memory has another order than its type says. */
  #isRepacked = false;

  constructor(native: Bindings, pointer: Pointer, type: TensorType, shape: Shape, strides?: Shape) {
    this.native = native;
    this.pointer = pointer;
    this.type = type;
    this.shape = shape;
    this.strides = strides ?? contiguousStrides(type, shape);
  }

  get name(): string {
    return this.native.getName(this.pointer);
  }

  get elementCount(): number {
    return this.shape[0] * this.shape[1] * this.shape[2] * this.shape[3];
  }

  /** Bytes of the data, for a contiguous tensor. */
  get byteLength(): number {
    return byteLengthOf(this.type, this.shape);
  }

  get isContiguous(): boolean {
    const expected = contiguousStrides(this.type, this.shape);
    return this.strides.every((stride, axis) => stride === expected[axis]);
  }

  /** From now on it can be written as a whole only, and not be read; for TensorArena. */
  markRepacked(): void {
    this.#isRepacked = true;
  }

  /**
   * Copies `data` into the tensor from `byteOffset` on, in host or device memory.
   *
   * @throws {GgmlError} `shape-mismatch` when the range is outside the tensor
   */
  set(data: NativeBuffer, byteOffset = 0): void {
    this.#checkRange("write", byteOffset, data.byteLength);
    this.native.tensorSet(this.pointer, data, byteOffset, data.byteLength);
  }

  /**
   * Sets the whole tensor on a thread of Node's pool: putting a matrix into another order takes a while. `data` must not be touched
   * before the promise settles.
   *
   * @throws {GgmlError} `shape-mismatch` when the data is not as long as the tensor
   */
  async setWhole(data: Uint8Array): Promise<void> {
    if (data.byteLength !== this.byteLength) throw this.#outOfRange("write", 0, data.byteLength);
    this.#checkRange("write", 0, data.byteLength);
    // Native code knows only its address, so it must be kept from garbage collection here.
    held.add(data);
    try {
      await new Promise<void>((resolve, reject) => {
        const done = (error: Error | null): void => (error === null ? resolve() : reject(error));
        this.native.tensorSet.async(this.pointer, data, 0, data.byteLength, done);
      });
    } finally {
      held.delete(data);
    }
  }

  /**
   * Copies the tensor's bytes from `byteOffset` on into `target`.
   *
   * @throws {GgmlError} `shape-mismatch` when the range is outside the tensor
   */
  get(target: NativeBuffer, byteOffset = 0): void {
    this.#checkRange("read", byteOffset, target.byteLength);
    this.native.tensorGet(this.pointer, target, byteOffset, target.byteLength);
  }

  /**
   * Fills the tensor, or a part of it, with one byte value.
   *
   * @throws {GgmlError} `shape-mismatch` when the range is outside the tensor
   */
  fill(value: number, byteOffset = 0, byteLength = this.byteLength - byteOffset): void {
    this.#checkRange("fill", byteOffset, byteLength);
    this.native.tensorMemset(this.pointer, value, byteOffset, byteLength);
  }

  /** All values of an f32 tensor, in memory order. */
  toFloat32(): Float32Array {
    if (this.type !== "f32") {
      throw new GgmlError("shape-mismatch", `read tensor ${this.name} as f32`, `its type is ${this.type}`);
    }
    const values = new Float32Array(this.elementCount);
    this.get(values);
    return values;
  }

  toString(): string {
    return `${this.name || "tensor"} ${this.type}[${this.shape.join(", ")}]`;
  }

  /** ggml aborts the process when it is asked to copy to or from a tensor without memory. */
  #checkRange(verb: string, byteOffset: number, byteLength: number): void {
    this.#isAllocated ||= this.native.getData(this.pointer) !== null;
    if (!this.#isAllocated) {
      throw new GgmlError(
        "shape-mismatch",
        `${verb} tensor ${this.toString()}`,
        "it is not allocated (an input that no output needs has no memory)",
      );
    }
    if (byteOffset < 0 || byteLength < 0 || byteOffset + byteLength > this.byteLength) {
      throw this.#outOfRange(verb, byteOffset, byteLength);
    }
    if (this.#isRepacked && (verb !== "write" || byteLength !== this.byteLength)) {
      const reason = "its memory has another order, so that it can only be written, and as a whole";
      throw new GgmlError("shape-mismatch", `${verb} tensor ${this.toString()}`, reason);
    }
  }

  #outOfRange(verb: string, byteOffset: number, byteLength: number): GgmlError {
    return new GgmlError(
      "shape-mismatch",
      `${verb} tensor ${this.toString()}`,
      `bytes out of range (got ${byteOffset} + ${byteLength}, limit ${this.byteLength})`,
    );
  }
}

/** Data that threads read. */
const held = new Set<Uint8Array>();

/** Strides of a dense tensor in bytes. */
export function contiguousStrides(type: TensorType, shape: Shape): Shape {
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  const row = blockBytes * (shape[0] / blockSize);
  return [blockBytes, row, row * shape[1], row * shape[1] * shape[2]];
}

export function byteLengthOf(type: TensorType, shape: Shape): number {
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  return (shape[0] / blockSize) * blockBytes * shape[1] * shape[2] * shape[3];
}

/** Pads a list of one to four dimensions with ones. */
export function toShape(dimensions: readonly number[]): Shape {
  const [ne0 = 1, ne1 = 1, ne2 = 1, ne3 = 1] = dimensions;
  return [ne0, ne1, ne2, ne3];
}
