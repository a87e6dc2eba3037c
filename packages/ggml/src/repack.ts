import type { Backend } from "./backend.ts";
import { GgmlError } from "./errors.ts";
import { Graph } from "./graph.ts";
import { quantizeRows } from "./quantize.ts";
import { TensorArena } from "./tensor-arena.ts";
import { rowBytes, type TensorType } from "./types.ts";

/** Four rows, from which on the CPU multiplies repacked matrices by another kernel than one by one, and three that are left. */
const ROWS_TOGETHER = 7;
/** Columns of every kernel's block, on all processors. */
const MATRIX_ROWS = 16;

/** Whether the backend multiplies matrices of a type and shape [rowLength, rowCount] faster from repacked memory. */
export function canRepack(backend: Backend, type: TensorType, rowLength: number, rowCount: number): boolean {
  if (backend.repackedBufferType === null) return false;
  using arena = new TensorArena(backend.ggml, { maxTensors: 1 });
  const matrix = arena.define("matrix", type, rowLength, rowCount);
  try {
    // Only the kind of memory counts. It is not touched, so it costs nothing.
    arena.allocate(backend, "repacked");
  } catch (error) {
    if (error instanceof GgmlError && error.kind === "allocation-failed") return false;
    throw error;
  }
  using graph = new Graph(backend.ggml, { maxNodes: 2 });
  const product = graph.mulMat(matrix, graph.input("rows", "f32", rowLength, 1));
  return backend.ggml.native.supportsOp(backend.pointer, product.pointer);
}

/**
 * Whether a row times a repacked matrix comes out the same bits alone and beside others, found by trying: for some types ggml
 * adds in another order when there are several rows.
 */
export function repackedRowsAgree(backend: Backend, type: TensorType, rowLength: number): boolean {
  using arena = new TensorArena(backend.ggml, { maxTensors: 1 });
  const matrix = arena.define("matrix", type, rowLength, MATRIX_ROWS);
  arena.allocate(backend, "repacked");
  const bytes = new Uint8Array(rowBytes(type, rowLength) * MATRIX_ROWS);
  quantizeRows(backend.ggml, type, waves(rowLength * MATRIX_ROWS, 0.37), bytes, rowLength);
  matrix.set(bytes);
  const rows = waves(rowLength * ROWS_TOGETHER, 0.91);
  const multiply = (count: number, first: number): Float32Array => {
    using graph = new Graph(backend.ggml, { maxNodes: 2 });
    const input = graph.input("rows", "f32", rowLength, count);
    const product = graph.output(graph.mulMat(matrix, input));
    graph.allocate(backend);
    input.set(rows.subarray(first * rowLength, (first + count) * rowLength));
    backend.compute(graph);
    return product.toFloat32();
  };
  const together = multiply(ROWS_TOGETHER, 0);
  return Array.from({ length: ROWS_TOGETHER }).every((_, row) => {
    const alone = multiply(1, row);
    return alone.every((value, column) => value === together[row * MATRIX_ROWS + column]);
  });
}

/** Values of order one without a pattern. */
function waves(count: number, step: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(index * step) + Math.cos(index * index * 0.013));
}
