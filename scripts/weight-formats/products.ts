import {
  type Backend,
  canRepack,
  Graph,
  quantizeRows,
  rowBytes,
  TensorArena,
  type TensorType,
} from "@higgs-worker/ggml";

const MATRICES = 14;
const ROW_LENGTH = 3072;
const ROW_COUNT = 8192;
const RUNS = 7;

/** Processor milliseconds, the least of several runs, of `count` rows times matrices that no cache holds. */
export async function productMs(
  backend: Backend,
  type: TensorType,
  count: number,
): Promise<{ readonly ms: number; readonly isRepacked: boolean }> {
  const isRepacked = canRepack(backend, type, ROW_LENGTH, ROW_COUNT);
  using arena = new TensorArena(backend.ggml, { maxTensors: MATRICES });
  const matrices = Array.from({ length: MATRICES }, (_, m) => arena.define(`matrix-${m}`, type, ROW_LENGTH, ROW_COUNT));
  arena.allocate(backend, isRepacked ? "repacked" : "weights");
  const row = Float32Array.from({ length: ROW_LENGTH }, (_, index) => Math.sin(index * 0.37) * 0.1);
  const rowData = new Uint8Array(rowBytes(type, ROW_LENGTH));
  quantizeRows(backend.ggml, type, row, rowData, ROW_LENGTH);
  const data = new Uint8Array(rowData.byteLength * ROW_COUNT);
  for (let r = 0; r < ROW_COUNT; r++) data.set(rowData, r * rowData.byteLength);
  for (const matrix of matrices) await matrix.setWhole(data);
  using graph = new Graph(backend.ggml, { maxNodes: 2 * MATRICES });
  const rows = graph.input("rows", "f32", ROW_LENGTH, count);
  for (const matrix of matrices) graph.output(graph.mulMat(matrix, rows));
  graph.allocate(backend);
  let least = Infinity;
  for (let run = 0; run < RUNS; run++) {
    rows.set(new Float32Array(ROW_LENGTH * count).fill(0.3));
    const before = process.cpuUsage();
    backend.compute(graph);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return { ms: least, isRepacked };
}
