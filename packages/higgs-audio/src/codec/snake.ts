import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";

/** The activation x + sin²(αx) / (α + 1e-9), with one α a channel (spec model §9.4, §11.34). */
export interface Snake {
  /** [1, channels] */
  readonly alpha: Tensor;
  /** 1 / (α + 1e-9), [1, channels] */
  readonly inverse: Tensor;
}

const EPSILON = 1e-9;

/** Defines `name.alpha` (PyTorch [1, channels, 1]) and its inverse. */
export function defineSnake(weights: CodecWeights, name: string): Snake {
  const alpha = weights.defineColumn(`${name}.alpha`);
  const inverse = weights.derive(`${name}.inverse`, alpha.shape, async () => {
    const values = await weights.source.readF32(`${name}.alpha`);
    return values.map((value) => 1 / Math.fround(value + EPSILON));
  });
  return { alpha, inverse };
}

/** [time, channels] → the same; mul, sin, sqr, mul, add in this order are one kernel on CUDA and Vulkan. */
export function snake(graph: Graph, layer: Snake, x: Tensor): Tensor {
  const squared = graph.sqr(graph.sin(graph.mul(x, layer.alpha)));
  return graph.add(x, graph.mul(squared, layer.inverse));
}
