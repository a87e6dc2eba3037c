import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";
import { type Conv1d, conv1d, defineConv1d, timeLayerOf } from "./conv1d.ts";
import type { TimeLayer } from "./receptive-field.ts";
import { type ResidualUnit, defineResidualUnits, residualUnit } from "./residual-unit.ts";
import { type Snake, defineSnake, snake } from "./snake.ts";
import type { Observe } from "./stages.ts";
import { type TransposedConv1d, defineTransposedConv1d, transposedConv1d } from "./transposed-conv1d.ts";

interface DecoderBlock {
  readonly snake1: Snake;
  readonly convT1: TransposedConv1d;
  readonly units: readonly ResidualUnit[];
}

/** From latents to samples (spec model §9.4): a convolution, one block a ratio, snake, a convolution; no tanh at the end. */
export interface DacDecoder {
  readonly conv1: Conv1d;
  readonly blocks: readonly DecoderBlock[];
  readonly snake1: Snake;
  readonly conv2: Conv1d;
}

const ROOT = "acoustic_decoder";

export function defineDacDecoder(weights: CodecWeights): DacDecoder {
  return {
    conv1: defineConv1d(weights, `${ROOT}.conv1`),
    blocks: weights.config.decoderRatios.map((stride, index) => {
      const name = `${ROOT}.block.${index}`;
      return {
        snake1: defineSnake(weights, `${name}.snake1`),
        convT1: defineTransposedConv1d(weights, `${name}.conv_t1`, stride),
        units: defineResidualUnits(weights, name),
      };
    }),
    snake1: defineSnake(weights, `${ROOT}.snake1`),
    conv2: defineConv1d(weights, `${ROOT}.conv2`),
  };
}

/** [frames, channels] → [frames · hop, 1] */
export function dacDecode(graph: Graph, decoder: DacDecoder, latents: Tensor, observe: Observe): Tensor {
  let x = observe("dac.conv1", conv1d(graph, decoder.conv1, latents));
  for (const [index, block] of decoder.blocks.entries()) {
    x = transposedConv1d(graph, block.convT1, snake(graph, block.snake1, x));
    observe(`dac.block.${index}.conv_t1`, x);
    for (const unit of block.units) x = residualUnit(graph, unit, x);
    observe(`dac.block.${index}`, x);
  }
  const activated = observe("dac.snake1", snake(graph, decoder.snake1, x));
  return conv1d(graph, decoder.conv2, activated);
}

/** The layers that move time, in order; residual units count with their longest path. */
export function timeLayersOf(decoder: DacDecoder): TimeLayer[] {
  const blocks = decoder.blocks.flatMap(({ convT1: { width, stride, cropLeft }, units }): TimeLayer[] => [
    { kind: "transposed-conv", width, stride, cropLeft },
    ...units.flatMap((unit) => [timeLayerOf(unit.conv1), timeLayerOf(unit.conv2)]),
  ]);
  return [timeLayerOf(decoder.conv1), ...blocks, timeLayerOf(decoder.conv2)];
}
