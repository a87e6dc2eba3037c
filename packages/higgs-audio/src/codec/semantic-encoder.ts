import type { CodecWeights } from "./codec-weights.ts";
import { type Conv1d, conv1d, defineConv1d, timeLayerOf } from "./layers.ts";
import type { TimeStage } from "./graph-runner.ts";

interface SemanticUnit {
  readonly conv1: Conv1d;
  readonly conv2: Conv1d;
}

interface SemanticBlock {
  readonly units: readonly SemanticUnit[];
  readonly conv: Conv1d;
}

/** Convolutions and ELUs on the semantic features; keeps their number and width (spec model §9.5). */
export interface SemanticEncoder {
  readonly conv: Conv1d;
  readonly blocks: readonly SemanticBlock[];
}

const ROOT = "encoder_semantic";
const NODES_PER_CONV = 24;
/** Columns of a convolution of width 3, and five tensors as large as the signal. */
const VALUES_PER_CHANNEL = 8;

export function defineSemanticEncoder(weights: CodecWeights): SemanticEncoder {
  const { numSemanticBlocks, numSemanticUnits } = weights.config;
  return {
    conv: defineConv1d(weights, `${ROOT}.conv`, { hasBias: false }),
    blocks: Array.from({ length: numSemanticBlocks }, (_, block) => {
      const name = `${ROOT}.conv_blocks.${block}`;
      const units = Array.from({ length: numSemanticUnits }, (_unused, unit) => ({
        conv1: defineConv1d(weights, `${name}.res_units.${unit}.conv1`, { hasBias: false }),
        conv2: defineConv1d(weights, `${name}.res_units.${unit}.conv2`, { hasBias: false }),
      }));
      return { units, conv: defineConv1d(weights, `${name}.conv`) };
    }),
  };
}

/** [frames, channels] → the same */
export function semanticEncoderStage({ conv, blocks }: SemanticEncoder): TimeStage {
  const convs = [
    conv,
    ...blocks.flatMap((block) => [...block.units.flatMap(({ conv1, conv2 }) => [conv1, conv2]), block.conv]),
  ];
  const channels = conv.weight.shape[2];
  return {
    layers: convs.map(timeLayerOf),
    channelsOut: channels,
    bytesPerStep: channels * VALUES_PER_CHANNEL * Float32Array.BYTES_PER_ELEMENT,
    maxNodes: NODES_PER_CONV * convs.length,
    build: ({ graph, observe }, features) => {
      let x = conv1d(graph, conv, features);
      for (const [index, block] of blocks.entries()) {
        for (const { conv1, conv2 } of block.units) {
          const inner = conv1d(graph, conv1, graph.elu(x));
          x = graph.add(x, conv1d(graph, conv2, graph.elu(inner)));
        }
        x = observe(`semantic.block.${index}`, conv1d(graph, block.conv, x));
      }
      return x;
    },
  };
}
