import { GgmlError } from "./errors.ts";
import type { Ggml } from "./ggml.ts";
import { TENSOR_TYPES, type TensorType, rowBytes } from "./types.ts";

/**
 * Converts rows of f32 to another storage type (f16, bf16, q8_0, q4_k …) with ggml's own reference quantizer.
 *
 * @param source values [rowCount · rowElements]
 * @param target bytes; at least rowCount · rowBytes(type, rowElements)
 * @returns bytes written
 * @throws {RangeError} when a row is not a whole number of blocks
 * @throws {GgmlError} `shape-mismatch` when the buffers are too small
 */
export function quantizeRows(
  ggml: Ggml,
  type: TensorType,
  source: Float32Array,
  target: Uint8Array,
  rowElements: number,
): number {
  const rows = countRows(type, source, target, rowElements);
  return ggml.native.quantizeChunk(TENSOR_TYPES[type].id, source, target, 0, rows, rowElements, null);
}

/** Buffers of running calls: native code knows only their addresses, so they must be kept from garbage collection here. */
const held = new Set<{ readonly source: Float32Array; readonly target: Uint8Array }>();

/**
 * The same on a thread of Node's pool, so that several calls use several cores (as many as `UV_THREADPOOL_SIZE`, 4 by
 * default). Neither buffer may be touched before the promise settles.
 *
 * @returns bytes written
 */
export async function quantizeRowsAsync(
  ggml: Ggml,
  type: TensorType,
  source: Float32Array,
  target: Uint8Array,
  rowElements: number,
): Promise<number> {
  const rows = countRows(type, source, target, rowElements);
  const buffers = { source, target };
  held.add(buffers);
  return new Promise((resolve, reject) => {
    const { id } = TENSOR_TYPES[type];
    ggml.native.quantizeChunk.async(id, source, target, 0, rows, rowElements, null, (error, bytes) => {
      held.delete(buffers);
      if (error === null) resolve(bytes);
      else reject(error);
    });
  });
}

function countRows(type: TensorType, source: Float32Array, target: Uint8Array, rowElements: number): number {
  const rows = source.length / rowElements;
  const bytes = rowBytes(type, rowElements) * rows;
  if (!Number.isInteger(rows) || target.byteLength < bytes) {
    throw new GgmlError(
      "shape-mismatch",
      `quantize to ${type}`,
      `buffers do not fit (got ${source.length} values, ${target.byteLength} bytes, need ${bytes})`,
    );
  }
  return rows;
}
