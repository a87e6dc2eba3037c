import { Graph, TensorArena, type Backend } from "@higgs-worker/ggml";

const ROW_LENGTH = 4096;
/** 512 MB: far more than any cache. */
const ROWS = 65_536;
/** Other programs only ever take bandwidth away, so the fastest run is nearest to the limit. */
const RUNS = 9;
/** Nor does a slow device need all of them. */
const ENOUGH_MS = 2000;

/**
 * Bytes per second at which the device reads a large matrix where weights lie, on huge pages if they do, with all of its threads: the
 * limit of a decode step. Products of f16 read as fast as a program that only adds the bytes up (31.7 and 31.6 to 33.6 GB/s, one thread
 * of Zen 4); f32 stays below (27.9).
 */
export function measureBandwidth(backend: Backend): number {
  using arena = new TensorArena(backend.ggml, { maxTensors: 1 });
  const matrix = arena.define("matrix", "f16", ROW_LENGTH, ROWS);
  arena.allocate(backend, "weights");
  arena.clear();
  using graph = new Graph(backend.ggml, { maxNodes: 4 });
  const vector = graph.input("vector", "f32", ROW_LENGTH);
  graph.output(graph.mulMat(matrix, vector));
  graph.allocate(backend);
  const values = new Float32Array(ROW_LENGTH);
  let shortestMs = Infinity;
  const beginMs = performance.now();
  for (let run = 0; run < RUNS && (run === 0 || performance.now() - beginMs < ENOUGH_MS); run++) {
    vector.set(values);
    const startMs = performance.now();
    backend.compute(graph);
    shortestMs = Math.min(shortestMs, performance.now() - startMs);
  }
  return matrix.byteLength / (shortestMs / 1000);
}
