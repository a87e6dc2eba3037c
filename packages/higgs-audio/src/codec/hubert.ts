import type { Tensor } from "@higgs-worker/ggml";
import { type Attention, type AttentionOptions, attention, defineAttention, queriesPerBlock } from "./attention.ts";
import type { CodecWeights } from "./codec-weights.ts";
import type { GraphRunner, GraphScope } from "./graph-runner.ts";
import { defineLayerNorm, defineLinear, type LayerNorm, layerNorm, type Linear, linear } from "./layers.ts";
import { type HubertFeatures, defineHubertFeatures, defineRowHubertFeatures } from "./hubert-features.ts";
import { definePositionalConv, defineRowPositionalConv, type PositionalConv } from "./hubert-positions.ts";
import type { Features } from "./time-stage.ts";

/** The semantic model (spec model §9.5): convolutions, projection, positional convolution, post-norm layers. */
export interface Hubert {
  readonly features: HubertFeatures;
  readonly featureNorm: LayerNorm;
  readonly projection: Linear;
  readonly positional: PositionalConv;
  readonly norm: LayerNorm;
  readonly layers: readonly HubertLayer[];
}

interface HubertLayer {
  readonly attention: Attention;
  readonly attentionNorm: LayerNorm;
  readonly wide: Linear;
  readonly narrow: Linear;
  readonly finalNorm: LayerNorm;
}

const ROOT = "semantic_model";
const NODES_AROUND = 64;
const NODES_PER_BLOCK = 16;
/** Of a piece's memory, for scores; copies of them and the layer's other tensors need the rest. */
const SCORE_SHARE = 0.5;

/** @param isHost whether the weights lie in the host's memory, where convolutions have another form */
export async function defineHubert(weights: CodecWeights, isHost: boolean): Promise<Hubert> {
  const { hubert } = weights.config;
  const norm = (name: string) => defineLayerNorm(weights, `${ROOT}.${name}`, hubert.layerNormEps);
  return {
    features: await (isHost ? defineRowHubertFeatures(weights) : defineHubertFeatures(weights)),
    featureNorm: norm("feature_projection.layer_norm"),
    projection: defineLinear(weights, `${ROOT}.feature_projection.projection`),
    positional: isHost ? defineRowPositionalConv(weights) : definePositionalConv(weights),
    norm: norm("encoder.layer_norm"),
    layers: Array.from({ length: hubert.numHiddenLayers }, (_, index) => {
      const name = `encoder.layers.${index}`;
      return {
        attention: defineAttention(weights, `${ROOT}.${name}.attention`, hubert.numAttentionHeads),
        attentionNorm: norm(`${name}.layer_norm`),
        wide: defineLinear(weights, `${ROOT}.${name}.feed_forward.intermediate_dense`),
        narrow: defineLinear(weights, `${ROOT}.${name}.feed_forward.output_dense`),
        finalNorm: norm(`${name}.final_layer_norm`),
      };
    }),
  };
}

/** Samples at 16 kHz → the mean of all hidden states, [frame][channel] (the channels fastest), 50 frames per second. */
export async function hubertMean(runner: GraphRunner, hubert: Hubert, samples: Float32Array): Promise<Float32Array> {
  const features = await runner.runStage(hubert.features.stage(samples), {
    channels: 1,
    time: samples.length,
    values: samples,
  });
  let state = await firstState(runner, hubert, features);
  const sum = new Float64Array(state);
  for (const [index, layer] of hubert.layers.entries()) {
    state = await nextState(runner, layer, state, { index, frames: features.time });
    for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] as number) + (state[at] as number);
  }
  const mean = new Float32Array(sum.length);
  for (let at = 0; at < sum.length; at++) mean[at] = (sum[at] as number) / (hubert.layers.length + 1);
  runner.observe("hubert.mean", mean);
  return mean;
}

/** Convolution features → hidden state 0, [time][channel]. */
async function firstState(runner: GraphRunner, hubert: Hubert, features: Features): Promise<Float32Array> {
  const maxNodes = NODES_AROUND + hubert.positional.maxNodes(features.time);
  const [state = new Float32Array(0)] = await runner.run(maxNodes, ({ graph, observe, input }) => {
    const x = input("features", features.values, features.channels, features.time);
    const projected = linear(graph, hubert.projection, layerNorm(graph, hubert.featureNorm, x));
    observe("hubert.projection", projected);
    const positions = observe("hubert.pos_conv", graph.geluErf(hubert.positional.build(graph, projected)));
    return [observe("hubert.state.0", layerNorm(graph, hubert.norm, graph.add(projected, positions)))];
  });
  return state;
}

async function nextState(
  runner: GraphRunner,
  layer: HubertLayer,
  state: Float32Array,
  { index, frames }: { index: number; frames: number },
): Promise<Float32Array> {
  const options = { scoreBytes: runner.pieceBytes * SCORE_SHARE };
  const blocks = Math.ceil(frames / queriesPerBlock(frames, layer.attention.headCount, options));
  const maxNodes = NODES_AROUND + NODES_PER_BLOCK * blocks;
  const [next = new Float32Array(0)] = await runner.run(maxNodes, (scope) => {
    const x = scope.input("state", state, state.length / frames, frames);
    return [scope.observe(`hubert.state.${index + 1}`, hubertLayer(scope, layer, x, options))];
  });
  return next;
}

/** [channels, time] → the same */
function hubertLayer(scope: GraphScope, layer: HubertLayer, x: Tensor, options: AttentionOptions): Tensor {
  const { graph } = scope;
  const attended = graph.add(x, attention(scope, layer.attention, x, options));
  const normed = layerNorm(graph, layer.attentionNorm, attended);
  const wide = graph.geluErf(linear(graph, layer.wide, normed));
  return layerNorm(graph, layer.finalNorm, graph.add(normed, linear(graph, layer.narrow, wide)));
}
