import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";
import {
  conv1d,
  defineConv1d,
  defineResidualUnits,
  defineSnake,
  defineTransposedConv1d,
  type Observe,
  observeNothing,
  residualUnit,
  snake,
  timeLayerOf,
  transposedConv1d,
} from "./layers.ts";
import { contextOf, type TimeLayer } from "./receptive-field.ts";
import { carriedPlane, carriedValues, RowCarry, type WindowPlace } from "./row-carry.ts";
import { defineScratch, nodesOf, RowLayers, rowSnake, valuesOf } from "./row-layers.ts";
import {
  defineRowConv,
  defineRowResidualUnits,
  defineRowSnake,
  defineRowTransposedConv,
  type RowConv,
  rowTimeLayerOf,
} from "./row-weights.ts";

/** From latents to samples (spec model §9.4): a convolution, one block per ratio, snake, a convolution; no tanh at the end. */
export interface DacDecoder {
  /** The layers that move time, in order; residual units count with their longest path. */
  readonly timeLayers: readonly TimeLayer[];
  /** Room for the nodes of a graph. */
  maxNodes(frames: number): number;
  /** [channels, frames] → [frames · hop, 1] */
  build(graph: Graph, latents: Tensor, observe: Observe): Tensor;
  /** Null where a window of a stream is computed with the frames around it. */
  readonly windows: CarriedWindows | null;
}

/** Windows of a stream that take new frames only, since each leaves what the next one needs. */
export interface CarriedWindows {
  /** Values that one leaves to the next; zeros come before the first. */
  readonly valueCount: number;
  /**
   * One that has an end of the audio at most at one side.
   *
   * @param latents [channels, frames], null for none in a last window
   * @returns [samples, 1]: those behind the window before, as far as its frames decide them
   */
  build(graph: Graph, latents: Tensor | null, window: CarriedWindow): Tensor;
}

export interface CarriedWindow {
  readonly place: WindowPlace;
  /** What the window before left, and where this one leaves its own: an input and an output of `valueCount` values. */
  readonly before: Tensor;
  readonly after: Tensor;
}

const DAC_DECODER = "acoustic_decoder";

/** Graph nodes around the blocks and in each; generous: 390 in all for five blocks. */
const NODES_AROUND = 64;
const NODES_PER_BLOCK = 128;

/** For devices that fuse activations: [time, channels]. */
export function defineDacDecoder(weights: CodecWeights): DacDecoder {
  const conv1 = defineConv1d(weights, `${DAC_DECODER}.conv1`);
  const blocks = weights.config.decoderRatios.map((stride, index) => {
    const name = `${DAC_DECODER}.block.${index}`;
    return {
      snake1: defineSnake(weights, `${name}.snake1`),
      convT1: defineTransposedConv1d(weights, `${name}.conv_t1`, stride),
      units: defineResidualUnits(weights, name),
    };
  });
  const snake1 = defineSnake(weights, `${DAC_DECODER}.snake1`);
  const conv2 = defineConv1d(weights, `${DAC_DECODER}.conv2`);
  return {
    timeLayers: timeLayersOf({ conv1, blocks, conv2 }, timeLayerOf),
    maxNodes: () => NODES_AROUND + NODES_PER_BLOCK * blocks.length,
    build(graph, latents, observe) {
      let x = observe("dac.conv1", conv1d(graph, conv1, graph.cont(graph.transpose(latents))));
      for (const [index, block] of blocks.entries()) {
        x = transposedConv1d(graph, block.convT1, snake(graph, block.snake1, x));
        observe(`dac.block.${index}.conv_t1`, x);
        for (const unit of block.units) x = residualUnit(graph, unit, x);
        observe(`dac.block.${index}`, x);
      }
      const activated = observe("dac.snake1", snake(graph, snake1, x));
      return conv1d(graph, conv2, activated);
    },
    windows: null,
  };
}

/** For CPUs: [channels, time], in tiles (see row-layers.ts). */
export function defineRowDacDecoder(weights: CodecWeights): DacDecoder {
  const conv1 = defineRowConv(weights, `${DAC_DECODER}.conv1`);
  const blocks = weights.config.decoderRatios.map((stride, index) => {
    const name = `${DAC_DECODER}.block.${index}`;
    return {
      snake1: defineRowSnake(weights, `${name}.snake1`),
      convT1: defineRowTransposedConv(weights, `${name}.conv_t1`, stride),
      units: defineRowResidualUnits(weights, name),
    };
  });
  const snake1 = defineRowSnake(weights, `${DAC_DECODER}.snake1`);
  const conv2 = defineRowConv(weights, `${DAC_DECODER}.conv2`);
  const convs = [
    conv1,
    ...blocks.flatMap(({ convT1, units }) => [convT1.steps, ...units.map((unit) => unit.conv1)]),
    conv2,
  ];
  const scratch = defineScratch(weights, convs);
  const timeLayers = timeLayersOf({ conv1, blocks, conv2 }, rowTimeLayerOf);
  const hop = blocks.reduce((product, { convT1 }) => product * convT1.stride, 1);
  const { right: futureFrames } = contextOf(timeLayers, hop);
  /** Layers that are computed in tiles, with the length of their inputs and of their results. */
  const lengths = (frames: number): LayerLength[] => {
    let time = frames;
    const inBlocks = blocks.flatMap(({ convT1: { steps, stride }, units }): LayerLength[] => {
      const made: LayerLength = [steps, time, time + steps.padding];
      time *= stride;
      return [made, ...units.map((unit): LayerLength => [unit.conv1, time, time])];
    });
    return [[conv1, frames, frames], ...inBlocks, [conv2, time, time]];
  };
  const build = (layers: RowLayers, latents: Tensor | null, show: (stage: string, x: Tensor) => Tensor): Tensor => {
    let x = show("dac.conv1", layers.conv(conv1, latents));
    for (const [index, block] of blocks.entries()) {
      x = show(`dac.block.${index}.conv_t1`, layers.transposedConv(block.convT1, x, layers.snake(block.snake1)));
      for (const unit of block.units) x = layers.residualUnit(unit, x);
      show(`dac.block.${index}`, x);
    }
    return x;
  };
  const samplesOf = (graph: Graph, layers: RowLayers, x: Tensor): Tensor => {
    const samples = layers.conv(conv2, x, layers.snake(snake1));
    return graph.reshape(samples, samples.shape[1], 1);
  };
  // The last window of a stream computes what the one before had to leave out too.
  const longest = (frames: number): LayerLength[] => lengths(frames + futureFrames);
  return {
    timeLayers,
    maxNodes: (frames) => NODES_AROUND + NODES_PER_BLOCK * blocks.length + sumOf(longest(frames), nodesOf),
    build(graph, latents, observe) {
      const layers = new RowLayers(graph, scratch, planeCount(lengths(latents.shape[1])));
      const show = (stage: string, x: Tensor): Tensor => {
        // Expected values are [time, channels].
        if (observe !== observeNothing) observe(stage, graph.cont(graph.transpose(x)));
        return x;
      };
      const x = build(layers, latents, show);
      if (observe !== observeNothing) show("dac.snake1", rowSnake(graph, snake1, x));
      return samplesOf(graph, layers, x);
    },
    windows: {
      valueCount: carriedValues(convs),
      build(graph, latents, window) {
        const sizes = longest(latents?.shape[1] ?? 0);
        const plane = graph.blank("f32", carriedPlane(sizes));
        const carry = new RowCarry(graph, { ...window, plane });
        const layers = new RowLayers(graph, scratch, planeCount(sizes), carry);
        const x = build(layers, latents, (_, made) => made);
        return samplesOf(graph, layers, x);
      },
    },
  };
}

/** A layer with the length of its input and of its result. */
type LayerLength = readonly [layer: RowConv, input: number, result: number];

/** What moves time in a decoder of either form. */
interface TimeParts<Conv> {
  readonly conv1: Conv;
  readonly blocks: readonly {
    readonly convT1: { readonly width: number; readonly stride: number; readonly cropLeft: number };
    readonly units: readonly { readonly conv1: Conv; readonly conv2: Conv }[];
  }[];
  readonly conv2: Conv;
}

function timeLayersOf<Conv>(parts: TimeParts<Conv>, layerOf: (conv: Conv) => TimeLayer): TimeLayer[] {
  const inBlocks = parts.blocks.flatMap(({ convT1: { width, stride, cropLeft }, units }): TimeLayer[] => [
    { kind: "transposed-conv", width, stride, cropLeft },
    ...units.flatMap((unit) => [layerOf(unit.conv1), layerOf(unit.conv2)]),
  ]);
  return [layerOf(parts.conv1), ...inBlocks, layerOf(parts.conv2)];
}

function sumOf(layers: readonly LayerLength[], measure: (layer: RowConv, time: number) => number): number {
  return layers.reduce((sum, [layer, , result]) => sum + measure(layer, result), 0);
}

function planeCount(layers: readonly LayerLength[]): number {
  return Math.max(...layers.map(([layer, , result]) => valuesOf(layer, result)));
}
