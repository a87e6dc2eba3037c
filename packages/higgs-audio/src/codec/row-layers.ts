/**
 * The codec's layers for CPUs: [channels, time], one row of channels for each moment. `layers.ts` has the same for devices, [time, channels],
 * where activations are fused. On a CPU that form spends more time around the products than in them: ggml applies a value per
 * channel to rows along time one number at a time, and gathers and turns columns one number at a time (docs/decisions/0024).
 */
import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";
import { DILATIONS, inverseAlpha } from "./layers.ts";
import type { TimeLayer } from "./receptive-field.ts";

/** One-dimensional convolution with zero padding on both sides (spec model §9.4). */
export interface RowConv {
  /** [channelsIn · width, channelsOut], tap by tap */
  readonly weight: Tensor;
  /** [channelsOut] */
  readonly bias: Tensor | null;
  readonly width: number;
  readonly stride: number;
  readonly dilation: number;
  /** Zeros on each side. */
  readonly padding: number;
}

/** Defines `name.weight` (PyTorch [out, in, width]) and `name.bias`; the padding keeps the length at stride 1 unless given. */
export function defineRowConv(
  weights: CodecWeights,
  name: string,
  options: { readonly stride?: number; readonly dilation?: number; readonly padding?: number } = {},
): RowConv {
  const [channelsOut = 0, channelsIn = 0, width = 0] = weights.shapeOf(`${name}.weight`);
  const { stride = 1, dilation = 1 } = options;
  const weight = weights.derive(`${name}.weight`, [channelsIn * width, channelsOut], async () =>
    tapByTap(await weights.source.readF32(`${name}.weight`), channelsIn, width),
  );
  const padding = options.padding ?? (dilation * (width - 1)) / 2;
  return { weight, bias: weights.define(`${name}.bias`), width, stride, dilation, padding };
}

/** [rows][channels][taps] → [rows][taps][channels] */
function tapByTap(values: Float32Array, channels: number, taps: number): Float32Array {
  const result = new Float32Array(values.length);
  const size = channels * taps;
  for (let start = 0; start < values.length; start += size) {
    for (let channel = 0; channel < channels; channel++) {
      for (let tap = 0; tap < taps; tap++) {
        result[start + tap * channels + channel] = values[start + channel * taps + tap] ?? 0;
      }
    }
  }
  return result;
}

/** Transposed convolution whose output is exactly `stride` times as long as its input (spec model §9.4). */
export interface RowTransposedConv {
  /** [channelsIn, time] → [channelsOut · stride, time + taps − 1]: all outputs of one step, from the inputs that reach them. */
  readonly steps: RowConv;
  /** [channelsOut] */
  readonly bias: Tensor;
  readonly width: number;
  readonly stride: number;
  /** Outputs of the full result that are dropped on the left: ⌈stride / 2⌉. */
  readonly cropLeft: number;
}

/** Defines `name.weight` (PyTorch [in, out, width]) and `name.bias`. */
export function defineRowTransposedConv(weights: CodecWeights, name: string, stride: number): RowTransposedConv {
  const [channelsIn = 0, channelsOut = 0, width = 0] = weights.shapeOf(`${name}.weight`);
  const cropLeft = Math.ceil(stride / 2);
  if (width < stride + cropLeft) {
    throw new RangeError(`Cannot use ${name}: kernel too short (got ${width}, needed ${stride + cropLeft})`);
  }
  // Inputs that reach an output.
  const taps = Math.ceil(width / stride);
  const weight = weights.derive(`${name}.weight`, [channelsIn * taps, channelsOut * stride], async () =>
    stepByStep(await weights.source.readF32(`${name}.weight`), { channelsIn, channelsOut, width, stride, taps }),
  );
  const steps = { weight, bias: null, width: taps, stride: 1, dilation: 1, padding: taps - 1 };
  return { steps, bias: weights.define(`${name}.bias`), width, stride, cropLeft };
}

interface TransposedShape {
  readonly channelsIn: number;
  readonly channelsOut: number;
  readonly width: number;
  readonly stride: number;
  readonly taps: number;
}

/** Output r of step i takes tap r + m · stride of input i − m; the oldest input comes first in a row. */
function stepByStep(
  values: Float32Array,
  { channelsIn, channelsOut, width, stride, taps }: TransposedShape,
): Float32Array {
  const result = new Float32Array(channelsIn * taps * channelsOut * stride);
  for (let input = 0; input < channelsIn; input++) {
    for (let output = 0; output < channelsOut; output++) {
      for (let tap = 0; tap < width; tap++) {
        const age = Math.floor(tap / stride);
        const row = (tap % stride) * channelsOut + output;
        const column = (taps - 1 - age) * channelsIn + input;
        result[row * channelsIn * taps + column] = values[(input * channelsOut + output) * width + tap] ?? 0;
      }
    }
  }
  return result;
}

/** The activation x + sin²(αx) / (α + 1e-9), with one α per channel (spec model §9.4, §11.34). */
export interface RowSnake {
  /** [channels] */
  readonly alpha: Tensor;
  /** 1 / (α + 1e-9), [channels] */
  readonly inverse: Tensor;
}

/** Defines `name.alpha` (PyTorch [1, channels, 1]) and its inverse. */
export function defineRowSnake(weights: CodecWeights, name: string): RowSnake {
  const channels = weights.shapeOf(`${name}.alpha`).reduce((product, size) => product * size, 1);
  const read = (): Promise<Float32Array> => weights.source.readF32(`${name}.alpha`);
  return {
    alpha: weights.derive(`${name}.alpha`, [channels], read),
    inverse: weights.derive(`${name}.inverse`, [channels], async () => inverseAlpha(await read())),
  };
}

/** [channels, time] → the same */
export function rowSnake(graph: Graph, layer: RowSnake, x: Tensor): Tensor {
  const squared = graph.sqr(graph.sin(graph.mul(x, layer.alpha)));
  return graph.add(x, graph.mul(squared, layer.inverse));
}

/** snake, dilated convolution, snake, 1×1 convolution, plus the input; the length stays (spec model §9.4). */
export interface RowResidualUnit {
  readonly snake1: RowSnake;
  readonly conv1: RowConv;
  readonly snake2: RowSnake;
  readonly conv2: RowConv;
}

/** Defines the three residual units `name.res_unit1` … `res_unit3` of a DAC block. */
export function defineRowResidualUnits(weights: CodecWeights, name: string): RowResidualUnit[] {
  return DILATIONS.map((dilation, index) => {
    const unit = `${name}.res_unit${index + 1}`;
    return {
      snake1: defineRowSnake(weights, `${unit}.snake1`),
      conv1: defineRowConv(weights, `${unit}.conv1`, { dilation }),
      snake2: defineRowSnake(weights, `${unit}.snake2`),
      conv2: defineRowConv(weights, `${unit}.conv2`),
    };
  });
}

/** Bytes of the gathered inputs of a stretch of time, its largest intermediate: what a core's cache holds beside the weights. */
const TILE_BYTES = 512 * 1024;
/** Shorter stretches would read the weights more often than the samples. */
const FEWEST_TILE_ROWS = 128;

/**
 * Builds the layers of one graph. Long stretches of time are computed in tiles whose intermediates stay in the cache and use the
 * same scratch memory one after the other.
 */
export class RowLayers {
  readonly #graph: Graph;
  readonly #zeros: Tensor;
  /** The input of a tile with its padding, in a tensor of the size of what is gathered from it (ggml refuses larger views). */
  readonly #window: Tensor;
  /** Where layers that are computed in tiles put their results in turn: each has its input in the other one at most. */
  readonly #planes: readonly [Tensor, Tensor];
  readonly #planeOf = new WeakMap<Tensor, Tensor>();

  /** @param planeCount values of the largest result */
  constructor(graph: Graph, { zeros, windowCount }: RowScratch, planeCount: number) {
    this.#graph = graph;
    this.#zeros = zeros;
    this.#window = graph.blank("f32", windowCount);
    this.#planes = [graph.blank("f32", planeCount), graph.blank("f32", planeCount)];
  }

  /** [channelsIn, time] → [channelsOut, timeOut], of the activated input if an activation is given. */
  conv(layer: RowConv, x: Tensor, activation: RowSnake | null = null): Tensor {
    const time = Math.floor((x.shape[1] + 2 * layer.padding - spanOf(layer)) / layer.stride) + 1;
    return this.#inTiles(layer, x, time, (from, to) => this.#convTile(layer, x, activation, from, to));
  }

  /** [channels, time] → the same */
  residualUnit(unit: RowResidualUnit, x: Tensor): Tensor {
    const graph = this.#graph;
    return this.#inTiles(unit.conv1, x, x.shape[1], (from, to) => {
      const inner = rowSnake(graph, unit.snake2, this.#convTile(unit.conv1, x, unit.snake1, from, to));
      return graph.add(this.#convTile(unit.conv2, inner, null, 0, to - from), this.#rows(x, from, to));
    });
  }

  /** [channelsIn, time] → [channelsOut, time · stride], of the activated input. */
  transposedConv(layer: RowTransposedConv, x: Tensor, activation: RowSnake): Tensor {
    const graph = this.#graph;
    const { stride, cropLeft, steps } = layer;
    const made = this.conv(steps, x, activation);
    const full = graph.reshape(made, made.shape[0] / stride, made.shape[1] * stride);
    return graph.add(this.#rows(full, cropLeft, cropLeft + stride * x.shape[1]), layer.bias);
  }

  /** Outputs `from` … `to` − 1 of a convolution. */
  #convTile(layer: RowConv, x: Tensor, activation: RowSnake | null, from: number, to: number): Tensor {
    const graph = this.#graph;
    const product = graph.mulMat(layer.weight, this.#gather(layer, x, activation, from, to), { precise: true });
    return layer.bias === null ? product : graph.add(product, layer.bias);
  }

  /** [channels, time] → [channels · width, to − from]: for each output the inputs that it sees, tap by tap. */
  #gather(layer: RowConv, x: Tensor, activation: RowSnake | null, from: number, to: number): Tensor {
    const graph = this.#graph;
    const { width, stride, dilation, padding } = layer;
    const first = from * stride - padding;
    const end = (to - 1) * stride - padding + spanOf(layer);
    const [start, stop] = [Math.max(0, first), Math.min(x.shape[1], end)];
    const seen = this.#rows(x, start, stop);
    const activated = activation === null ? seen : rowSnake(graph, activation, seen);
    if (width === 1 && stride === 1 && padding === 0) return activated;
    const [channels] = x.shape;
    const place = (row: number, rows: number): Tensor =>
      graph.view(this.#window, [channels, rows], { byteOffset: row * channels * Float32Array.BYTES_PER_ELEMENT });
    const put = (values: Tensor, row: number): void =>
      void graph.require(graph.copy(values, place(row, values.shape[1])));
    const zeros = (rows: number): Tensor => graph.view(this.#zeros, [channels, rows]);
    // An activation leaves zeros as they are, so they may come after it.
    if (start > first) put(zeros(start - first), 0);
    put(activated, start - first);
    if (end > stop) put(zeros(end - stop), stop - first);
    const rowBytes = channels * Float32Array.BYTES_PER_ELEMENT;
    const count = to - from;
    // Rows that overlap. Without dilation a row's taps already lie behind each other.
    const taps =
      dilation === 1
        ? graph.view(this.#window, [channels * width, count], { strides: [stride * rowBytes] })
        : graph.view(this.#window, [channels, width, count], { strides: [dilation * rowBytes, stride * rowBytes] });
    // Before the window is filled anew.
    return graph.reshape(graph.require(graph.cont(taps)), channels * width, count);
  }

  /** Rows `from` … `to` − 1, without a copy. */
  #rows(x: Tensor, from: number, to: number): Tensor {
    if (from === 0 && to === x.shape[1]) return x;
    return this.#graph.view(x, [x.shape[0], to - from], { byteOffset: from * x.strides[1] });
  }

  /** Results lie in a plane until the next but one is made. */
  #inTiles(layer: RowConv, x: Tensor, time: number, build: (from: number, to: number) => Tensor): Tensor {
    const graph = this.#graph;
    const tiles = countTiles(layer, time);
    if (tiles === 1) return build(0, time);
    const [first, second] = this.#planes;
    const plane = this.#planeOf.get(x) === first ? second : first;
    const result = graph.view(plane, [layer.weight.shape[1], time]);
    this.#planeOf.set(result, plane);
    for (let tile = 0; tile < tiles; tile++) {
      const from = Math.round((tile * time) / tiles);
      const to = Math.round(((tile + 1) * time) / tiles);
      graph.require(graph.copy(build(from, to), this.#rows(result, from, to)));
    }
    return result;
  }
}

/** Inputs from the first to the last that an output sees. */
function spanOf({ dilation, width }: RowConv): number {
  return dilation * (width - 1) + 1;
}

function tileRows({ weight }: RowConv): number {
  return Math.max(FEWEST_TILE_ROWS, Math.floor(TILE_BYTES / (weight.shape[0] * Float32Array.BYTES_PER_ELEMENT)));
}

/** Tiles that a convolution is computed in, each of 1.5 times `tileRows` at most. */
function countTiles(layer: RowConv, time: number): number {
  return Math.max(1, Math.round(time / tileRows(layer)));
}

/** Nodes of a tile of a residual unit, the largest there is, at a true end. */
const NODES_PER_TILE = 40;

/** Values that a layer makes of an input of some length. */
export function valuesOf({ weight }: RowConv, time: number): number {
  return weight.shape[1] * time;
}

/** Room that a layer needs in a graph whose tensors are `time` long. */
export function nodesOf(layer: RowConv, time: number): number {
  return NODES_PER_TILE * countTiles(layer, time);
}

/** How it maps time. */
export function rowTimeLayerOf({ width, stride, padding, dilation }: RowConv): TimeLayer {
  return { kind: "conv", width, stride, padding, dilation };
}

/** What the layers of a graph share. */
export interface RowScratch {
  readonly zeros: Tensor;
  /** Values that a tile gathers at most. */
  readonly windowCount: number;
}

/** The zeros around the inputs of these layers, and the room for their tiles. */
export function defineScratch(weights: CodecWeights, layers: readonly RowConv[]): RowScratch {
  const zeroCount = Math.max(1, ...layers.map(({ weight, width, padding }) => (weight.shape[0] / width) * padding));
  const windowCount = Math.max(...layers.map((layer) => layer.weight.shape[0] * Math.ceil(1.5 * tileRows(layer) + 1)));
  return { zeros: weights.derive("zeros", [zeroCount], async () => new Float32Array(zeroCount)), windowCount };
}
