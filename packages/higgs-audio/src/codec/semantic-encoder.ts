import type { Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";
import type { TimeStage } from "./graph-runner.ts";
import { alongTime, conv1d, type Conv1dOptions, defineConv1d, timeLayerOf } from "./layers.ts";
import { defineRowStage } from "./row-stage.ts";
import { defineRowConv } from "./row-weights.ts";

const ROOT = "encoder_semantic";
const NODES_PER_CONV = 24;
/** Columns of a convolution of width 3, and five tensors as large as the signal. */
const VALUES_PER_CHANNEL = 8;

/** The convolutions of the semantic encoder, of either form. */
interface SemanticConvs<Conv> {
  readonly conv: Conv;
  readonly blocks: readonly {
    readonly units: readonly { readonly conv1: Conv; readonly conv2: Conv }[];
    readonly conv: Conv;
  }[];
  /** All in order. */
  readonly all: readonly Conv[];
}

type Define<Conv> = (weights: CodecWeights, name: string, options?: Conv1dOptions) => Conv;

function defineConvs<Conv>(weights: CodecWeights, define: Define<Conv>): SemanticConvs<Conv> {
  const { numSemanticBlocks, numSemanticUnits } = weights.config;
  const conv = define(weights, `${ROOT}.conv`, { hasBias: false });
  const blocks = Array.from({ length: numSemanticBlocks }, (_, block) => {
    const name = `${ROOT}.conv_blocks.${block}`;
    const units = Array.from({ length: numSemanticUnits }, (_unused, unit) => ({
      conv1: define(weights, `${name}.res_units.${unit}.conv1`, { hasBias: false }),
      conv2: define(weights, `${name}.res_units.${unit}.conv2`, { hasBias: false }),
    }));
    return { units, conv: define(weights, `${name}.conv`) };
  });
  const inBlocks = blocks.flatMap((block) => [
    ...block.units.flatMap(({ conv1, conv2 }) => [conv1, conv2]),
    block.conv,
  ]);
  return { conv, blocks, all: [conv, ...inBlocks] };
}

/**
 * Convolutions and ELUs on the semantic features, [channels, frames] → the same (spec model §9.5). For devices.
 */
export function defineSemanticEncoder(weights: CodecWeights): TimeStage {
  const { conv, blocks, all } = defineConvs(weights, defineConv1d);
  const channels = conv.weight.shape[2];
  return {
    layers: all.map(timeLayerOf),
    channelsOut: channels,
    bytesPerStep: channels * VALUES_PER_CHANNEL * Float32Array.BYTES_PER_ELEMENT,
    maxNodes: () => NODES_PER_CONV * all.length,
    build: ({ graph, observe }, input) =>
      alongTime(graph, input, (features) => {
        let x = conv1d(graph, conv, features);
        for (const [index, block] of blocks.entries()) {
          for (const { conv1, conv2 } of block.units) {
            const inner = conv1d(graph, conv1, graph.elu(x));
            x = graph.add(x, conv1d(graph, conv2, graph.elu(inner)));
          }
          x = observe(`semantic.block.${index}`, conv1d(graph, block.conv, x));
        }
        return x;
      }),
  };
}

/** The same for CPUs (see row-layers.ts). */
export function defineRowSemanticEncoder(weights: CodecWeights): TimeStage {
  const { conv, blocks, all } = defineConvs(weights, defineRowConv);
  return defineRowStage(
    weights,
    all,
  )((layers, { graph, observeRows }, features) => {
    const elu = (x: Tensor): Tensor => graph.elu(x);
    let x = layers.conv(conv, features);
    for (const [index, block] of blocks.entries()) {
      for (const { conv1, conv2 } of block.units) {
        x = layers.residual([conv1, conv2], x, [elu, elu]);
      }
      x = observeRows(`semantic.block.${index}`, layers.conv(block.conv, x));
    }
    return x;
  });
}
