import type { Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";
import type { GraphScope, TimeStage } from "./graph-runner.ts";
import { defineScratch, nodesOf, RowLayers, valuesOf } from "./row-layers.ts";
import { channelsIn, type RowConv, rowOutputs, rowTimeLayerOf } from "./row-weights.ts";

/** Graph nodes beside those of the tiles; generous. */
const NODES_AROUND = 64;

/** Makes a stage of what to `build`: [channels, time] → [channelsOut, timeOut]. */
type MakeStage = (build: (layers: RowLayers, scope: GraphScope, x: Tensor) => Tensor) => TimeStage;

/** Stages of the encoder for CPUs with these convolutions in order, both of each residual unit. */
export function defineRowStage(weights: CodecWeights, convs: readonly RowConv[]): MakeStage {
  const scratch = defineScratch(weights, convs);
  /** Each with the length of its result. */
  const lengths = (time: number): [RowConv, number][] => {
    let length = time;
    return convs.map((conv) => {
      length = rowOutputs(conv, length);
      return [conv, length];
    });
  };
  const planeCount = (time: number): number =>
    Math.max(...lengths(time).map(([conv, length]) => valuesOf(conv, length)));
  return (build) => ({
    layers: convs.map(rowTimeLayerOf),
    channelsOut: convs.at(-1)?.weight.shape[1] ?? 0,
    bytesPerStep: bytesPerStep(convs),
    maxNodes: (time) => NODES_AROUND + lengths(time).reduce((sum, [conv, length]) => sum + nodesOf(conv, length), 0),
    build: (scope, x) => build(new RowLayers(scope.graph, scratch, planeCount(x.shape[1])), scope, x),
  });
}

/** The input, and two planes for the largest result. */
function bytesPerStep(convs: readonly RowConv[]): number {
  const [first] = convs;
  let steps = 1;
  const results = convs.map((conv) => {
    steps /= conv.stride;
    return valuesOf(conv, steps);
  });
  return ((first === undefined ? 0 : channelsIn(first)) + 2 * Math.max(...results)) * Float32Array.BYTES_PER_ELEMENT;
}
