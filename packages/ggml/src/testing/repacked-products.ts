import { createHash } from "node:crypto";
import { Backend } from "../backend.ts";
import type { Ggml } from "../ggml.ts";
import { Graph } from "../graph.ts";
import { quantizeRows } from "../quantize.ts";
import { TensorArena } from "../tensor-arena.ts";
import { rowBytes, type TensorType } from "../types.ts";
import { noise } from "./noise.ts";

/** Three blocks of 256. */
const ROW_LENGTH = 768;
const ROW_COUNT = 48;
/** Every number of rows that a kernel takes at once, blocks of them with what is left over, and more than stay in a cache. */
const COUNTS = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 29, 55];

/**
 * Hashes of the rows of products with a repacked matrix on the CPU, row by row on one thread, and the same for several rows at
 * once on three.
 *
 * @throws {Error} when a row has other bits beside others than alone
 */
export function repackedProducts(ggml: Ggml, type: TensorType): string[] {
  using backend = Backend.open(ggml, ({ kind }) => kind === "cpu", "cpu");
  backend.setThreads(1);
  using arena = new TensorArena(ggml, { maxTensors: 1 });
  const matrix = arena.define("matrix", type, ROW_LENGTH, ROW_COUNT);
  arena.allocate(backend, "repacked");
  const bytes = new Uint8Array(rowBytes(type, ROW_LENGTH) * ROW_COUNT);
  quantizeRows(ggml, type, noise(ROW_LENGTH * ROW_COUNT, 1), bytes, ROW_LENGTH);
  matrix.set(bytes);
  const rows = noise(ROW_LENGTH * Math.max(...COUNTS), 2);
  const hashes = (first: number, count: number): string[] => {
    using graph = new Graph(ggml, { maxNodes: 2 });
    const input = graph.input("rows", "f32", ROW_LENGTH, count);
    const product = graph.output(graph.mulMat(matrix, input));
    graph.allocate(backend);
    input.set(rows.subarray(first * ROW_LENGTH, (first + count) * ROW_LENGTH));
    backend.compute(graph);
    const values = product.toFloat32();
    return Array.from({ length: count }, (_, row) =>
      createHash("sha256")
        .update(values.slice(row * ROW_COUNT, (row + 1) * ROW_COUNT))
        .digest("hex"),
    );
  };
  const alone = Array.from({ length: Math.max(...COUNTS) }, (_, row) => hashes(row, 1)[0] ?? "");
  backend.setThreads(3);
  for (const count of COUNTS) {
    if (hashes(0, count).some((hash, row) => hash !== alone[row])) throw new Error(`${count} rows have other bits`);
  }
  return alone;
}
