import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";

/** W · x + bias for each time. */
export interface Linear {
  /** [channelsIn, channelsOut] */
  readonly weight: Tensor;
  /** [channelsOut] */
  readonly bias: Tensor;
}

/** (x − mean) / √(variance + ε) · weight + bias over the channels of each time. */
export interface LayerNorm {
  /** [channels] */
  readonly weight: Tensor;
  /** [channels] */
  readonly bias: Tensor;
  readonly epsilon: number;
}

export function defineLinear(weights: CodecWeights, name: string): Linear {
  return { weight: weights.define(`${name}.weight`), bias: weights.define(`${name}.bias`) };
}

export function defineLayerNorm(weights: CodecWeights, name: string, epsilon: number): LayerNorm {
  return { ...defineLinear(weights, name), epsilon };
}

/** [channelsIn, time] → [channelsOut, time], in f32. */
export function linear(graph: Graph, layer: Linear, x: Tensor): Tensor {
  return graph.add(graph.mulMat(layer.weight, x, { precise: true }), layer.bias);
}

/** [channels, time] → the same */
export function layerNorm(graph: Graph, layer: LayerNorm, x: Tensor): Tensor {
  return graph.add(graph.mul(graph.norm(x, layer.epsilon), layer.weight), layer.bias);
}
