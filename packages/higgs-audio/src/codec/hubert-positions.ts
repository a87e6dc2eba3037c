import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";
import { defineGroupedConv1d, groupedConv1d } from "./layers.ts";
import { defineScratch, groupedNodesOf, RowLayers } from "./row-layers.ts";
import { defineRowGroupedConv } from "./row-weights.ts";

/** The convolution that tells HuBERT's layers where a frame stands (spec model §9.5). */
export interface PositionalConv {
  /** Room for the nodes of a graph. */
  maxNodes(frames: number): number;
  /** [channels, frames] → the same */
  build(graph: Graph, x: Tensor): Tensor;
}

const NAME = "semantic_model.encoder.pos_conv_embed.conv";
const NODES_PER_GROUP = 16;

/** For devices. */
export function definePositionalConv(weights: CodecWeights): PositionalConv {
  const conv = defineGroupedConv1d(weights, NAME, weights.config.hubert.numConvPosEmbeddingGroups);
  return {
    maxNodes: () => NODES_PER_GROUP * conv.groups,
    build: (graph, x) => groupedConv1d(graph, conv, graph.cont(graph.transpose(x))),
  };
}

/** For CPUs, in tiles (see row-layers.ts). */
export function defineRowPositionalConv(weights: CodecWeights): PositionalConv {
  const layer = defineRowGroupedConv(weights, NAME, weights.config.hubert.numConvPosEmbeddingGroups);
  const scratch = defineScratch(weights, [layer.conv]);
  return {
    maxNodes: (frames) => NODES_PER_GROUP * layer.groups + groupedNodesOf(layer, frames),
    build: (graph, x) => new RowLayers(graph, scratch, 1).groupedConv(layer, x),
  };
}
