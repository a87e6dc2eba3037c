import { type Backend, Graph, type Tensor } from "@higgs-worker/ggml";
import { CodecWeights } from "../codec-weights.ts";
import type { GraphScope } from "../graph-runner.ts";
import { observeNothing } from "../layers.ts";
import type { Signal } from "./oracle.ts";
import { SMALL_CODEC_CONFIG } from "./small-codec.ts";

export interface StoredTensor {
  /** In PyTorch's order. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Numbers in −1 … 1 without a pattern. */
export function noise(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233) * 0.9);
}

/** A tensor of noise. */
export function noiseTensor(seed: number, ...shape: readonly number[]): StoredTensor {
  return {
    shape,
    values: noise(
      shape.reduce((product, size) => product * size, 1),
      seed,
    ),
  };
}

/** Runs one layer on ggml; its input is [time, channels], the result in ggml's order. */
export async function runLayer<Layer>(
  backend: Backend,
  tensors: Readonly<Record<string, StoredTensor>>,
  x: Signal,
  define: (weights: CodecWeights) => Layer,
  apply: (graph: Graph, layer: Layer, input: Tensor, scope: GraphScope) => Tensor,
): Promise<StoredTensor> {
  const tensor = (name: string): StoredTensor => tensors[name] ?? { shape: [], values: new Float32Array(0) };
  const source = {
    config: SMALL_CODEC_CONFIG,
    tensor,
    readF32: (name: string) => Promise.resolve(tensor(name).values),
  };
  using weights = new CodecWeights(backend, source, { maxTensors: 32 });
  const layer = define(weights);
  await weights.load(backend);
  using graph = new Graph(backend.ggml, { maxNodes: 4096 });
  const inputs: (() => void)[] = [];
  const input: GraphScope["input"] = (name, values, ...dimensions) => {
    const defined = graph.input(name, values instanceof Int32Array ? "i32" : "f32", ...dimensions);
    inputs.push(() => defined.set(values));
    return defined;
  };
  const scope = { graph, input, isObserved: false, observe: observeNothing, observeRows: observeNothing };
  const output = graph.output(apply(graph, layer, input("x", Float32Array.from(x.values), x.time, x.channels), scope));
  graph.allocate(backend);
  for (const set of inputs) set();
  backend.compute(graph);
  return { shape: output.shape, values: output.toFloat32() };
}
