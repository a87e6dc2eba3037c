import type { Backend } from "./backend.ts";
import { GgmlError } from "./errors.ts";
import { Graph } from "./graph.ts";
import { quantizeRows } from "./quantize.ts";
import type { NativeBuffer } from "./bindings.ts";
import { type TensorType, rowBytes } from "./types.ts";

/** Whole blocks of every type, and large enough for the kernels that the model's matrices take. */
const SIZE = 256;
/** One column is a matrix-vector kernel, many are a matrix product. */
const COLUMN_COUNTS = [1, 64] as const;
/** The kinds of matrices that models have: as stored, quantized, and the codec's. */
const MATRIX_TYPES = ["bf16", "q8_0", "f32"] as const satisfies readonly TensorType[];
/**
 * Values are small whole numbers, so that sums are exact in half precision as well, but devices also quantize the other
 * operand to eight bits: its largest value is 127 times the step, so only that rounding is allowed for.
 */
const TOLERANCE = 0.02;

/**
 * Multiplies small matrices of known values on an open device and compares the results with plain loops: a library that can
 * be loaded may still have no kernel for the card, or compute nonsense.
 *
 * @throws {GgmlError} `compute-failed` when a product is refused or wrong
 */
export function proveDevice(backend: Backend): void {
  for (const type of MATRIX_TYPES) for (const columns of COLUMN_COUNTS) proveProduct(backend, type, columns);
}

function proveProduct(backend: Backend, type: TensorType, columns: number): void {
  const left = Float32Array.from({ length: SIZE * SIZE }, (_, index) => smallNumber(index * 7 + 3));
  const right = Float32Array.from({ length: SIZE * columns }, (_, index) => smallNumber(index * 5 + 1));
  using graph = new Graph(backend.ggml, { maxNodes: 8 });
  const a = graph.input("a", type, SIZE, SIZE);
  const b = graph.input("b", "f32", SIZE, columns);
  const product = graph.output(graph.mulMat(a, b));
  graph.allocate(backend);
  a.set(encode(backend, type, left));
  b.set(right);
  backend.compute(graph);
  const worst = largestError(left, right, columns, product.toFloat32());
  // A comparison with NaN is false.
  if (worst <= TOLERANCE) return;
  throw new GgmlError(
    "compute-failed",
    `use ${backend.device.name}`,
    `a product of ${type} with ${columns} columns is wrong (largest error ${worst}, limit ${TOLERANCE})`,
  );
}

/** Largest deviation from left · right, as a share of the largest sum possible in one element; NaN when one is not a number. */
export function largestError(left: Float32Array, right: Float32Array, columns: number, got: Float32Array): number {
  let worst = 0;
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < SIZE; row++) {
      let sum = 0;
      let scale = 0;
      for (let k = 0; k < SIZE; k++) {
        const term = (left[row * SIZE + k] ?? 0) * (right[column * SIZE + k] ?? 0);
        sum += term;
        scale += Math.abs(term);
      }
      const error = Math.abs((got[column * SIZE + row] ?? Number.NaN) - sum) / Math.max(1, scale);
      if (!(error <= worst)) worst = error;
      if (Number.isNaN(worst)) return worst;
    }
  }
  return worst;
}

/** −2 … 2, from a hash of the index, so that no two rows are alike. */
function smallNumber(index: number): number {
  return ((Math.imul(index + 1, 0x9e3779b1) >>> 28) % 5) - 2;
}

function encode(backend: Backend, type: TensorType, values: Float32Array): NativeBuffer {
  if (type === "f32") return values;
  const bytes = new Uint8Array(rowBytes(type, SIZE) * SIZE);
  quantizeRows(backend.ggml, type, values, bytes, SIZE);
  return bytes;
}
