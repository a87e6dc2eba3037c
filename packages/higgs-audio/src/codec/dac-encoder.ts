import type { CodecWeights } from "./codec-weights.ts";
import {
  type Conv1d,
  conv1d,
  defineConv1d,
  defineResidualUnits,
  defineSnake,
  type ResidualUnit,
  residualUnit,
  type Snake,
  snake,
  timeLayerOf,
} from "./layers.ts";
import type { TimeStage } from "./graph-runner.ts";
import type { TimeLayer } from "./receptive-field.ts";

interface EncoderBlock {
  readonly units: readonly ResidualUnit[];
  readonly snake1: Snake;
  readonly conv1: Conv1d;
}

/** From samples to latents (spec model §9.4): a convolution, one block per ratio, snake, a convolution. */
export interface DacEncoder {
  readonly conv1: Conv1d;
  readonly blocks: readonly EncoderBlock[];
  readonly snake1: Snake;
  readonly conv2: Conv1d;
}

const ROOT = "acoustic_encoder";
const NODES_PER_STAGE = 160;
/** Columns of a convolution of width 7, and about five tensors as large as the signal. */
const VALUES_PER_CHANNEL = 12;

export function defineDacEncoder(weights: CodecWeights): DacEncoder {
  return {
    conv1: defineConv1d(weights, `${ROOT}.conv1`),
    blocks: weights.config.encoderRatios.map((stride, index) => {
      const name = `${ROOT}.block.${index}`;
      return {
        units: defineResidualUnits(weights, name),
        snake1: defineSnake(weights, `${name}.snake1`),
        conv1: defineConv1d(weights, `${name}.conv1`, { stride, padding: Math.ceil(stride / 2) }),
      };
    }),
    snake1: defineSnake(weights, `${ROOT}.snake1`),
    conv2: defineConv1d(weights, `${ROOT}.conv2`),
  };
}

/** Samples [time, 1] → latents [frames, channels], in one stage per block and a last one; the first has the first convolution. */
export function dacEncoderStages(encoder: DacEncoder): TimeStage[] {
  const blocks = encoder.blocks.map((block, index) => blockStage(encoder, block, index));
  const { snake1, conv2 } = encoder;
  const last: TimeStage = {
    layers: [timeLayerOf(conv2)],
    channelsOut: conv2.weight.shape[2],
    bytesPerStep: bytesPerStep(conv2.weight.shape[1]),
    maxNodes: NODES_PER_STAGE,
    build: ({ graph, observe }, x) => observe("dac.out", conv1d(graph, conv2, snake(graph, snake1, x))),
  };
  return [...blocks, last];
}

function blockStage(encoder: DacEncoder, block: EncoderBlock, index: number): TimeStage {
  const first = index === 0 ? encoder.conv1 : null;
  const units = block.units.flatMap((unit) => [timeLayerOf(unit.conv1), timeLayerOf(unit.conv2)]);
  const layers: TimeLayer[] = [...units, timeLayerOf(block.conv1)];
  return {
    layers: first === null ? layers : [timeLayerOf(first), ...layers],
    channelsOut: block.conv1.weight.shape[2],
    bytesPerStep: bytesPerStep(block.conv1.weight.shape[1]),
    maxNodes: NODES_PER_STAGE,
    build: ({ graph, observe }, samples) => {
      let x = first === null ? samples : observe("dac.conv1", conv1d(graph, first, samples));
      for (const unit of block.units) x = residualUnit(graph, unit, x);
      return observe(`dac.block.${index}`, conv1d(graph, block.conv1, snake(graph, block.snake1, x)));
    },
  };
}

function bytesPerStep(channels: number): number {
  return channels * VALUES_PER_CHANNEL * Float32Array.BYTES_PER_ELEMENT;
}
