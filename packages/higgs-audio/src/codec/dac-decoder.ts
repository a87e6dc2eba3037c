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
import type { TimeLayer } from "./receptive-field.ts";
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
  const unitConvs = blocks.flatMap(({ units }) => units.map((unit) => unit.conv1));
  const scratch = defineScratch(weights, [conv1, ...blocks.map(({ convT1 }) => convT1.steps), ...unitConvs, conv2]);
  /** Layers that are computed in tiles, with the length of their results. */
  const lengths = (frames: number): [RowConv, number][] => {
    let time = frames;
    const inBlocks = blocks.flatMap(({ convT1: { steps, stride }, units }): [RowConv, number][] => {
      const made: [RowConv, number] = [steps, time + steps.padding];
      time *= stride;
      return [made, ...units.map((unit): [RowConv, number] => [unit.conv1, time])];
    });
    return [[conv1, frames], ...inBlocks, [conv2, time]];
  };
  return {
    timeLayers: timeLayersOf({ conv1, blocks, conv2 }, rowTimeLayerOf),
    maxNodes: (frames) => NODES_AROUND + NODES_PER_BLOCK * blocks.length + sumOf(lengths(frames), nodesOf),
    build(graph, latents, observe) {
      const layers = new RowLayers(graph, scratch, planeCount(lengths(latents.shape[1])));
      const show = (stage: string, x: Tensor): Tensor => {
        // Expected values are [time, channels].
        if (observe !== observeNothing) observe(stage, graph.cont(graph.transpose(x)));
        return x;
      };
      let x = show("dac.conv1", layers.conv(conv1, latents));
      for (const [index, block] of blocks.entries()) {
        x = show(`dac.block.${index}.conv_t1`, layers.transposedConv(block.convT1, x, layers.snake(block.snake1)));
        for (const unit of block.units) x = layers.residualUnit(unit, x);
        show(`dac.block.${index}`, x);
      }
      if (observe !== observeNothing) show("dac.snake1", rowSnake(graph, snake1, x));
      return graph.reshape(layers.conv(conv2, x, layers.snake(snake1)), x.shape[1], 1);
    },
  };
}

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

function sumOf(layers: readonly [RowConv, number][], measure: (layer: RowConv, time: number) => number): number {
  return layers.reduce((sum, [layer, time]) => sum + measure(layer, time), 0);
}

function planeCount(layers: readonly [RowConv, number][]): number {
  return Math.max(...layers.map(([layer, time]) => valuesOf(layer, time)));
}
