import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";
import type { TimeLayer } from "./receptive-field.ts";

/** One-dimensional convolution with zero padding on both sides (spec model §9.4, §9.5). */
export interface Conv1d {
  /** [width, channelsIn, channelsOut] */
  readonly weight: Tensor;
  /** [1, channelsOut] */
  readonly bias: Tensor | null;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

export interface Conv1dOptions {
  readonly stride?: number;
  readonly dilation?: number;
  /** Zeros on each side; by default as many as keep the length at stride 1. */
  readonly padding?: number;
  readonly hasBias?: boolean;
}

/** Defines `name.weight` (PyTorch [out, in, width]) and, unless `hasBias` is false, `name.bias`. */
export function defineConv1d(weights: CodecWeights, name: string, options: Conv1dOptions = {}): Conv1d {
  const weight = weights.define(`${name}.weight`);
  const { stride = 1, dilation = 1, hasBias = true } = options;
  const padding = options.padding ?? (dilation * (weight.shape[0] - 1)) / 2;
  return { weight, bias: hasBias ? weights.defineColumn(`${name}.bias`) : null, stride, padding, dilation };
}

/** [time, channelsIn] → [timeOut, channelsOut]. Columns and products stay in f32 (spec model §11.42). */
export function conv1d(graph: Graph, layer: Conv1d, x: Tensor): Tensor {
  const [width, channelsIn, channelsOut] = layer.weight.shape;
  const weight = graph.reshape(layer.weight, width * channelsIn, channelsOut);
  const product = graph.mulMat(columnsOf(graph, layer, x), weight, { precise: true });
  return layer.bias === null ? product : graph.add(product, layer.bias);
}

/** How it maps time. */
export function timeLayerOf({ weight, stride, padding, dilation }: Conv1d): TimeLayer {
  return { kind: "conv", width: weight.shape[0], stride, padding, dilation };
}

/** [time, channelsIn] → [width · channelsIn, timeOut] */
function columnsOf(graph: Graph, layer: Conv1d, x: Tensor): Tensor {
  const { stride, padding, dilation } = layer;
  if (layer.weight.shape[0] === 1 && stride === 1 && padding === 0) return graph.cont(graph.transpose(x));
  return graph.im2col1d(layer.weight, x, { stride, padding, dilation, type: "f32" });
}
