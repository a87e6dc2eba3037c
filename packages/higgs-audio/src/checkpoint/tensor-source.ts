/** Bytes of one element, for the element types that this software knows. */
export const DTYPE_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

export type TensorDtype = keyof typeof DTYPE_BYTES;

export function isKnownDtype(dtype: string): dtype is TensorDtype {
  return Object.hasOwn(DTYPE_BYTES, dtype);
}

/** What a file says about one tensor, after it was checked. */
export interface TensorInfo {
  readonly name: string;
  /** As the file names it: a `TensorDtype`, or another type if no part of the model needs the tensor. */
  readonly dtype: string;
  /** PyTorch order: the last axis is contiguous. */
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** A file that belongs to a checkpoint. */
export interface SourceFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/**
 * Named tensors of one or several files. Reads only what is asked for, when it is asked for.
 * Disposing closes the files.
 */
export interface TensorSource extends AsyncDisposable {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly files: readonly SourceFile[];
  /** SHA-256 over names, types, shapes and places of all tensors, in hexadecimal. */
  readonly structureHash: string;
  /**
   * Fills `target` with the tensor's bytes from `byteOffset` on (little-endian, rows in PyTorch order).
   *
   * @throws {HiggsError} MODEL_CORRUPT when the file has become shorter
   * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be read
   */
  readInto(name: string, target: Uint8Array, byteOffset?: number): Promise<void>;
  close(): Promise<void>;
}

/** Product of the axes; 1 for a scalar. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** `[128256, 3072]`, for messages. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
