import { Graph, TensorArena, type Backend } from "@higgs-worker/ggml";
import { median } from "./bench-measure.ts";

const ROW_LENGTH = 4096;
/** 512 MB: far more than any cache. */
const ROWS = 32_768;
const RUNS = 5;

/** Bytes per second at which the device reads a large matrix, as it reads weights: the limit of a decode step. */
export function measureBandwidth(backend: Backend): number {
  using arena = new TensorArena(backend.ggml, { maxTensors: 1 });
  const matrix = arena.define("matrix", "f32", ROW_LENGTH, ROWS);
  arena.allocate(backend, "weights");
  arena.clear();
  using graph = new Graph(backend.ggml, { maxNodes: 4 });
  const vector = graph.input("vector", "f32", ROW_LENGTH);
  graph.output(graph.mulMat(matrix, vector));
  graph.allocate(backend);
  const values = new Float32Array(ROW_LENGTH);
  const timesMs: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    vector.set(values);
    const startMs = performance.now();
    backend.compute(graph);
    timesMs.push(performance.now() - startMs);
  }
  return matrix.byteLength / (median(timesMs) / 1000);
}
