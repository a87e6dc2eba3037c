import { HiggsError } from "@higgs-worker/base";
import type { Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";
import type { TimeStage } from "./graph-runner.ts";
import { alongTime, type Conv1d, conv1d, type Conv1dOptions, defineConv1d, timeLayerOf } from "./layers.ts";
import type { TimeLayer } from "./receptive-field.ts";
import { defineRowStage } from "./row-stage.ts";
import { defineRowConv, rowTimeLayerOf } from "./row-weights.ts";
import { convolutionStatistics } from "./time-statistics.ts";

/** HuBERT's convolutions (spec model §9.5): no padding, no bias; the first is normalized over time, each followed by GELU. */
export interface HubertFeatures {
  readonly timeLayers: readonly TimeLayer[];
  /** Samples [1, time] → features [channels, frames] of one clip: it is normalized over the whole clip (spec model §11.36). */
  stage(samples: Float32Array): TimeStage;
}

const ROOT = "semantic_model.feature_extractor.conv_layers";
/** Of the GroupNorm; not the configuration's `layer_norm_eps`. */
const GROUP_NORM_EPSILON = 1e-5;
const NODES_PER_CONV = 16;

/** For devices. The normalization of the first convolution is read here; the other weights when `weights` is loaded. */
export async function defineHubertFeatures(weights: CodecWeights): Promise<HubertFeatures> {
  const convs = defineConvs(weights, defineConv1d);
  const first = await readFirst(weights);
  return {
    timeLayers: convs.map(timeLayerOf),
    stage(samples) {
      const { scale, shift } = normalization(first, samples);
      return {
        layers: convs.map(timeLayerOf),
        channelsOut: convs.at(-1)?.weight.shape[2] ?? 0,
        bytesPerStep: bytesPerSample(convs),
        maxNodes: () => NODES_PER_CONV * convs.length,
        build: ({ graph, observe, input }, samplesPiece) =>
          alongTime(graph, samplesPiece, (piece) => {
            let x = piece;
            for (const [index, conv] of convs.entries()) {
              x = conv1d(graph, conv, x);
              if (index === 0) {
                x = graph.mul(x, input("scale", scale, 1, scale.length));
                x = graph.add(x, input("shift", shift, 1, shift.length));
              }
              x = graph.geluErf(x);
              if (index === 0) observe("hubert.conv.0", x);
            }
            return observe("hubert.conv", x);
          }),
      };
    },
  };
}

/** The same for CPUs, in tiles (see row-layers.ts). */
export async function defineRowHubertFeatures(weights: CodecWeights): Promise<HubertFeatures> {
  const convs = defineConvs(weights, defineRowConv);
  const first = await readFirst(weights);
  const makeStage = defineRowStage(weights, convs);
  // Activations come before a convolution here: the result of the last one is activated at the end.
  const make = (normalize: { scale: Float32Array; shift: Float32Array }): TimeStage =>
    makeStage((layers, { graph, input, isObserved, observeRows }, samples) => {
      const scale = input("scale", normalize.scale, normalize.scale.length);
      const shift = input("shift", normalize.shift, normalize.shift.length);
      const normalized = (x: Tensor): Tensor => graph.geluErf(graph.add(graph.mul(x, scale), shift));
      const gelu = (x: Tensor): Tensor => graph.geluErf(x);
      let x = samples;
      for (const [index, conv] of convs.entries()) {
        x = layers.conv(conv, x, index === 0 ? null : index === 1 ? normalized : gelu);
        if (index === 0 && isObserved) observeRows("hubert.conv.0", normalized(x));
      }
      return observeRows("hubert.conv", convs.length === 1 ? normalized(x) : gelu(x));
    });
  return { timeLayers: convs.map(rowTimeLayerOf), stage: (samples) => make(normalization(first, samples)) };
}

function defineConvs<Conv>(weights: CodecWeights, define: Define<Conv>): Conv[] {
  return weights.config.hubert.convStride.map((stride, index) =>
    define(weights, `${ROOT}.${index}.conv`, { stride, padding: 0, hasBias: false }),
  );
}

type Define<Conv> = (weights: CodecWeights, name: string, options: Conv1dOptions) => Conv;

/** The first convolution, kept on the host to compute the statistics of its output. */
interface FirstConv {
  readonly weight: Float32Array;
  readonly width: number;
  readonly stride: number;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
}

async function readFirst({ source, config }: CodecWeights): Promise<FirstConv> {
  const name = `${ROOT}.0.conv.weight`;
  const [width, stride] = [source.tensor(name).shape[2], config.hubert.convStride[0]];
  if (width === undefined || stride === undefined) {
    throw new HiggsError("INTERNAL", "encode", "the semantic model has no convolutions");
  }
  const weight = await source.readF32(name);
  const gamma = await source.readF32(`${ROOT}.0.layer_norm.weight`);
  const beta = await source.readF32(`${ROOT}.0.layer_norm.bias`);
  return { weight, width, stride, gamma, beta };
}

/** GroupNorm with one group per channel, as a factor and a summand per channel. */
function normalization({ weight, gamma, beta, ...layer }: FirstConv, samples: Float32Array) {
  const { mean, variance } = convolutionStatistics(samples, weight, layer);
  const scale = gamma.map((value, channel) => value / Math.sqrt((variance[channel] ?? 0) + GROUP_NORM_EPSILON));
  const shift = beta.map((value, channel) => value - (mean[channel] ?? 0) * (scale[channel] ?? 0));
  return { scale, shift };
}

/** The first output three times (product, normalized, activated), and the columns of the second convolution. */
function bytesPerSample(convs: readonly Conv1d[]): number {
  const [first, second] = convs;
  if (first === undefined) return 1;
  const outputs = first.weight.shape[2] / first.stride;
  const columns = second === undefined ? 0 : (outputs * second.weight.shape[0]) / second.stride;
  return (3 * outputs + columns) * Float32Array.BYTES_PER_ELEMENT;
}
