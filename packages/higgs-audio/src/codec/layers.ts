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

/** Does to [channels, time] what is made for [time, channels]. */
export function alongTime(graph: Graph, x: Tensor, build: (x: Tensor) => Tensor): Tensor {
  return graph.cont(graph.transpose(build(graph.cont(graph.transpose(x)))));
}

/** Transposed convolution whose output is exactly `stride` times as long as its input (spec model §9.4). */
export interface TransposedConv1d {
  /** [channelsIn, width · channelsOut]: one row for each output channel and tap. */
  readonly weight: Tensor;
  /** [1, channelsOut] */
  readonly bias: Tensor;
  readonly width: number;
  readonly channelsOut: number;
  readonly stride: number;
  /** Samples of the full result that are dropped on the left: ⌈stride / 2⌉. */
  readonly cropLeft: number;
}

/** Defines `name.weight` (PyTorch [in, out, width]) and `name.bias`. */
export function defineTransposedConv1d(weights: CodecWeights, name: string, stride: number): TransposedConv1d {
  const [channelsIn = 0, channelsOut = 0, width = 0] = weights.shapeOf(`${name}.weight`);
  const cropLeft = Math.ceil(stride / 2);
  if (width < stride + cropLeft) {
    throw new RangeError(`Cannot use ${name}: kernel too short (got ${width}, needed ${stride + cropLeft})`);
  }
  const weight = weights.derive(`${name}.weight`, [channelsIn, width * channelsOut], async () =>
    transpose(await weights.source.readF32(`${name}.weight`), channelsIn, channelsOut * width),
  );
  return { weight, bias: weights.defineColumn(`${name}.bias`), width, channelsOut, stride, cropLeft };
}

/** [time, channelsIn] → [time · stride, channelsOut] */
export function transposedConv1d(graph: Graph, layer: TransposedConv1d, x: Tensor): Tensor {
  const { stride, channelsOut, cropLeft } = layer;
  const columns = graph.mulMat(layer.weight, graph.cont(graph.transpose(x)), { precise: true });
  // col2im crops the same count on both sides; an odd stride drops one sample more on the left than on the right.
  const padding = Math.floor(stride / 2);
  const cropped = graph.col2im1d(columns, { stride, channels: channelsOut, padding });
  const time = x.shape[0] * stride;
  const skipped = cropLeft - padding;
  const exact =
    skipped === 0 && cropped.shape[0] === time
      ? cropped
      : graph.view(cropped, [time, channelsOut], { strides: [cropped.strides[1]], byteOffset: skipped * 4 });
  return graph.add(exact, layer.bias);
}

/** Row-major [rows, columns] → [columns, rows]. */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column] ?? 0;
    }
  }
  return result;
}

/** Convolution of groups of channels with themselves only, stride 1, width/2 zeros on both sides (spec model §9.5). */
export interface GroupedConv1d {
  /** [width, channels / groups, channels] */
  readonly weight: Tensor;
  /** [channels] */
  readonly bias: Tensor;
  readonly groups: number;
}

/** Defines `name.weight` (PyTorch [channels, channels / groups, width]) and `name.bias`. */
export function defineGroupedConv1d(weights: CodecWeights, name: string, groups: number): GroupedConv1d {
  return { weight: weights.define(`${name}.weight`), bias: weights.define(`${name}.bias`), groups };
}

/** [time, channels] → [channels, time]; an even width makes one output more than inputs, which is dropped (spec model §11.36). */
export function groupedConv1d(graph: Graph, { weight, bias, groups }: GroupedConv1d, x: Tensor): Tensor {
  const [width, channelsIn, channels] = weight.shape;
  const channelsOut = channels / groups;
  const [time] = x.shape;
  let joined: Tensor | null = null;
  for (let group = 0; group < groups; group++) {
    const kernel = graph.view(weight, [width, channelsIn, channelsOut], {
      byteOffset: group * channelsOut * weight.strides[2],
    });
    const input = graph.view(x, [time, channelsIn], { byteOffset: group * channelsIn * x.strides[1] });
    const padding = Math.floor(width / 2);
    const columns = graph.im2col1d(kernel, input, { stride: 1, padding, dilation: 1, type: "f32" });
    const matrix = graph.reshape(kernel, width * channelsIn, channelsOut);
    const product = graph.mulMat(matrix, columns, { precise: true });
    joined = joined === null ? product : graph.concat(joined, product, 0);
  }
  // The last output of an even width lies at the end of the memory.
  return graph.add(graph.view(joined ?? x, [channels, time]), bias);
}

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

/** The activation x + sin²(αx) / (α + 1e-9), with one α per channel (spec model §9.4, §11.34). */
export interface Snake {
  /** [1, channels] */
  readonly alpha: Tensor;
  /** 1 / (α + 1e-9), [1, channels] */
  readonly inverse: Tensor;
}

const SNAKE_EPSILON = 1e-9;

/** 1 / (α + 1e-9), as the reference rounds it. */
export function inverseAlpha(values: Float32Array): Float32Array {
  return values.map((value) => 1 / Math.fround(value + SNAKE_EPSILON));
}

/** Defines `name.alpha` (PyTorch [1, channels, 1]) and its inverse. */
export function defineSnake(weights: CodecWeights, name: string): Snake {
  const alpha = weights.defineColumn(`${name}.alpha`);
  const inverse = weights.derive(`${name}.inverse`, alpha.shape, async () => {
    return inverseAlpha(await weights.source.readF32(`${name}.alpha`));
  });
  return { alpha, inverse };
}

/** [time, channels] → the same; mul, sin, sqr, mul, add in this order are one kernel on CUDA and Vulkan. */
export function snake(graph: Graph, layer: Snake, x: Tensor): Tensor {
  const squared = graph.sqr(graph.sin(graph.mul(x, layer.alpha)));
  return graph.add(x, graph.mul(squared, layer.inverse));
}

/** snake, dilated convolution, snake, 1×1 convolution, plus the input; the length stays (spec model §9.4). */
export interface ResidualUnit {
  readonly snake1: Snake;
  readonly conv1: Conv1d;
  readonly snake2: Snake;
  readonly conv2: Conv1d;
}

/** Dilations of the three units of a block; neither tensors nor configuration state them. */
export const DILATIONS = [1, 3, 9] as const;

/** Defines the three residual units `name.res_unit1` … `res_unit3` of a DAC block. */
export function defineResidualUnits(weights: CodecWeights, name: string): ResidualUnit[] {
  return DILATIONS.map((dilation, index) => {
    const unit = `${name}.res_unit${index + 1}`;
    return {
      snake1: defineSnake(weights, `${unit}.snake1`),
      conv1: defineConv1d(weights, `${unit}.conv1`, { dilation }),
      snake2: defineSnake(weights, `${unit}.snake2`),
      conv2: defineConv1d(weights, `${unit}.conv2`),
    };
  });
}

/** [time, channels] → the same */
export function residualUnit(graph: Graph, unit: ResidualUnit, x: Tensor): Tensor {
  const inner = conv1d(graph, unit.conv1, snake(graph, unit.snake1, x));
  return graph.add(x, conv1d(graph, unit.conv2, snake(graph, unit.snake2, inner)));
}

/**
 * Receives named intermediates while a graph is built, and returns the tensor it was given; layer-by-layer comparisons mark
 * them as outputs. Names are those of the expected values: `dac.block.0`, `hubert.state.1`.
 */
export type Observe = (stage: string, tensor: Tensor) => Tensor;

/** For graphs of which only the result is read. */
export const observeNothing: Observe = (_stage, tensor) => tensor;
