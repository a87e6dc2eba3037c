/** What a graph makes of the codec's layers for CPUs (see row-weights.ts), in tiles of time. */
import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";
import { type ExtendedInput, type RowCarry, WHOLE, wholeInput } from "./row-carry.ts";
import {
  channelsIn,
  type RowConv,
  type RowGroupedConv,
  type RowResidualUnit,
  type RowSnake,
  type RowTransposedConv,
  spanOf,
} from "./row-weights.ts";

/** What is done to each value before a layer; where the layer has padding, it must leave zeros as they are. */
export type RowActivation = (x: Tensor) => Tensor;

/** [channels, time] → the same */
export function rowSnake(graph: Graph, layer: RowSnake, x: Tensor): Tensor {
  const squared = graph.sqr(graph.sin(graph.mul(x, layer.alpha)));
  return graph.add(x, graph.mul(squared, layer.inverse));
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
  readonly #carry: RowCarry | null;

  /**
   * @param planeCount values of the largest result
   * @param carry for a window of a stream; without it inputs are the whole audio
   */
  constructor(graph: Graph, { zeros, windowCount }: RowScratch, planeCount: number, carry: RowCarry | null = null) {
    this.#graph = graph;
    this.#carry = carry;
    this.#zeros = zeros;
    this.#window = graph.blank("f32", windowCount);
    this.#planes = [graph.blank("f32", planeCount), graph.blank("f32", planeCount)];
  }

  /**
   * [channelsIn, time] → [channelsOut, timeOut], of the activated input if an activation is given.
   *
   * @param x null for nothing new, in the last window of a stream
   */
  conv(layer: RowConv, x: Tensor | null, activation: RowActivation | null = null): Tensor {
    const input = this.#inputOf(layer, x);
    return this.#inTiles(layer, input, (from, to) => this.#convTile(layer, input, activation, from, to));
  }

  /** snake, convolution, snake, 1×1 convolution, plus the input: [channels, time] → the same. */
  residualUnit({ snake1, conv1, snake2, conv2 }: RowResidualUnit, x: Tensor): Tensor {
    return this.residual([conv1, conv2], x, [this.snake(snake1), this.snake(snake2)]);
  }

  /** A convolution that keeps the length and a 1×1 convolution, each of the activated input, plus the input: [channels, time] → the same. */
  residual(
    [wide, narrow]: readonly [RowConv, RowConv],
    x: Tensor,
    [before, between]: readonly [RowActivation, RowActivation],
  ): Tensor {
    const graph = this.#graph;
    const input = this.#inputOf(wide, x);
    const offset = wide.padding - input.zerosBefore;
    return this.#inTiles(wide, input, (from, to) => {
      const inner = wholeInput(narrow, between(this.#convTile(wide, input, before, from, to)));
      const product = this.#convTile(narrow, inner, null, 0, to - from);
      return graph.add(product, rowsOf(graph, input.rows, from + offset, to + offset));
    });
  }

  /** [channelsIn, time] → [channelsOut, time · stride], of the activated input. */
  transposedConv(layer: RowTransposedConv, x: Tensor, activation: RowActivation): Tensor {
    const graph = this.#graph;
    const { stride, cropLeft, steps } = layer;
    const { isFirst, isLast } = this.#carry?.place ?? WHOLE;
    const made = this.conv(steps, x, activation);
    const full = graph.reshape(made, made.shape[0] / stride, made.shape[1] * stride);
    const [, time] = full.shape;
    const cropRight = stride * steps.padding - cropLeft;
    return graph.add(rowsOf(graph, full, isFirst ? cropLeft : 0, isLast ? time - cropRight : time), layer.bias);
  }

  /** [channels, time] → the same; an even width makes one output more than inputs, which is dropped (spec model §11.36). */
  groupedConv({ conv, groups }: RowGroupedConv, x: Tensor): Tensor {
    const graph = this.#graph;
    const [channels, time] = x.shape;
    const size = channels / groups;
    const result = graph.blank("f32", channels, time);
    const bytesOf = (group: number): number => group * size * Float32Array.BYTES_PER_ELEMENT;
    for (let group = 0; group < groups; group++) {
      const part = (tensor: Tensor): Tensor =>
        graph.view(tensor, [size, time], { strides: [tensor.strides[1]], byteOffset: bytesOf(group) });
      const byteOffset = group * size * conv.weight.strides[1];
      const weight = graph.view(conv.weight, [conv.weight.shape[0], size], { byteOffset });
      const layer = { ...conv, weight, bias: null };
      const input = wholeInput(layer, part(x));
      this.#fillTiles(layer, part(result), (from, to) => this.#convTile(layer, input, null, from, to));
    }
    return conv.bias === null ? result : graph.add(result, conv.bias);
  }

  /** The activation of a snake. */
  snake(layer: RowSnake): RowActivation {
    return (x) => rowSnake(this.#graph, layer, x);
  }

  #inputOf(layer: RowConv, x: Tensor | null): ExtendedInput {
    if (this.#carry !== null) return this.#carry.extend(layer, x);
    if (x === null)
      throw new RangeError("Cannot compute a layer without input: only a stream's last window may be empty");
    return wholeInput(layer, x);
  }

  /** Outputs `from` … `to` − 1 of a convolution. */
  #convTile(layer: RowConv, input: ExtendedInput, activation: RowActivation | null, from: number, to: number): Tensor {
    const graph = this.#graph;
    const product = graph.mulMat(layer.weight, this.#gather(layer, input, activation, from, to), { precise: true });
    return layer.bias === null ? product : graph.add(product, layer.bias);
  }

  /** [channels, time] → [channels · taps, to − from]: for each output the inputs that it sees, tap by tap. */
  #gather(
    layer: RowConv,
    { rows: x, zerosBefore }: ExtendedInput,
    activation: RowActivation | null,
    from: number,
    to: number,
  ): Tensor {
    const graph = this.#graph;
    const { taps, stride, dilation, padding } = layer;
    const first = from * stride - zerosBefore;
    const end = (to - 1) * stride - zerosBefore + spanOf(layer);
    const [start, stop] = [Math.max(0, first), Math.min(x.shape[1], end)];
    const seen = rowsOf(graph, x, start, stop);
    const activated = activation === null ? seen : activation(seen);
    if (taps === 1 && stride === 1 && padding === 0) return activated;
    const [channels] = x.shape;
    const place = (row: number, rows: number): Tensor =>
      graph.view(this.#window, [channels, rows], { byteOffset: row * channels * Float32Array.BYTES_PER_ELEMENT });
    const put = (values: Tensor, row: number): void =>
      void graph.require(graph.copy(values, place(row, values.shape[1])));
    const zeros = (rows: number): Tensor => graph.view(this.#zeros, [channels, rows]);
    // An activation leaves zeros as they are, so they may come after it.
    if (start > first) put(zeros(start - first), 0);
    put(activated, start - first);
    // What zero taps see must be numbers, or they would not give zero.
    const behind = end - stop + (taps - layer.width) * dilation;
    if (behind > 0) put(zeros(behind), stop - first);
    const rowBytes = channels * Float32Array.BYTES_PER_ELEMENT;
    const count = to - from;
    // Rows that overlap. Without dilation a row's taps already lie behind each other.
    const inputs =
      dilation === 1
        ? graph.view(this.#window, [channels * taps, count], { strides: [stride * rowBytes] })
        : graph.view(this.#window, [channels, taps, count], { strides: [dilation * rowBytes, stride * rowBytes] });
    // Before the window is filled anew.
    return graph.reshape(graph.require(graph.cont(inputs)), channels * taps, count);
  }

  /** Results lie in a plane until the next but one is made. */
  #inTiles(
    layer: RowConv,
    { rows: x, zerosBefore, zerosAfter }: ExtendedInput,
    build: (from: number, to: number) => Tensor,
  ): Tensor {
    const graph = this.#graph;
    const time = Math.floor((zerosBefore + x.shape[1] + zerosAfter - spanOf(layer)) / layer.stride) + 1;
    if (countTiles(layer, time) === 1) return build(0, time);
    const [first, second] = this.#planes;
    const plane = this.#planeOf.get(x) === first ? second : first;
    const result = graph.view(plane, [layer.weight.shape[1], time]);
    this.#planeOf.set(result, plane);
    this.#fillTiles(layer, result, build);
    return result;
  }

  #fillTiles(layer: RowConv, result: Tensor, build: (from: number, to: number) => Tensor): void {
    const graph = this.#graph;
    const [, time] = result.shape;
    const tiles = countTiles(layer, time);
    for (let tile = 0; tile < tiles; tile++) {
      const from = Math.round((tile * time) / tiles);
      const to = Math.round(((tile + 1) * time) / tiles);
      graph.require(graph.copy(build(from, to), rowsOf(graph, result, from, to)));
    }
  }
}

/** Rows `from` … `to` − 1, without a copy. */
function rowsOf(graph: Graph, x: Tensor, from: number, to: number): Tensor {
  if (from === 0 && to === x.shape[1]) return x;
  return graph.view(x, [x.shape[0], to - from], { strides: [x.strides[1]], byteOffset: from * x.strides[1] });
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

/** The same of a grouped convolution. */
export function groupedNodesOf({ conv, groups }: RowGroupedConv, time: number): number {
  return groups * nodesOf(conv, time);
}

/** What the layers of a graph share. */
export interface RowScratch {
  readonly zeros: Tensor;
  /** Values that a tile gathers at most. */
  readonly windowCount: number;
}

/** The zeros around the inputs of these layers, and the room for their tiles. */
export function defineScratch(weights: CodecWeights, layers: readonly RowConv[]): RowScratch {
  const zeroCount = Math.max(1, ...layers.map((layer) => channelsIn(layer) * zeroRows(layer)));
  const windowCount = Math.max(...layers.map((layer) => layer.weight.shape[0] * Math.ceil(1.5 * tileRows(layer) + 1)));
  return { zeros: weights.derive("zeros", [zeroCount], async () => new Float32Array(zeroCount)), windowCount };
}

/** Zeros that are put beside each other at most. */
function zeroRows({ padding, taps, width, dilation }: RowConv): number {
  return padding + (taps - width) * dilation;
}
