import { HiggsError } from "@higgs-worker/base";
import type { CodecWeights } from "./codec-weights.ts";
import { type Conv1d, conv1d, defineConv1d, timeLayerOf } from "./layers.ts";
import type { TimeStage } from "./graph-runner.ts";
import { convolutionStatistics } from "./time-statistics.ts";

/** HuBERT's convolutions (spec model §9.5): no padding, no bias; the first is normalized over time, each followed by GELU. */
export interface HubertFeatures {
  readonly convs: readonly Conv1d[];
  /** Of the first convolution; kept on the host too, to compute the statistics of its output. */
  readonly first: { weight: Float32Array; gamma: Float32Array; beta: Float32Array };
}

const ROOT = "semantic_model.feature_extractor.conv_layers";
/** Of the GroupNorm; not the configuration's `layer_norm_eps`. */
const GROUP_NORM_EPSILON = 1e-5;
const NODES_PER_CONV = 16;

/** `first` is read here; the other weights when `weights` is loaded. */
export async function defineHubertFeatures(weights: CodecWeights): Promise<HubertFeatures> {
  const { source, config } = weights;
  const convs = config.hubert.convStride.map((stride, index) =>
    defineConv1d(weights, `${ROOT}.${index}.conv`, { stride, padding: 0, hasBias: false }),
  );
  const weight = await source.readF32(`${ROOT}.0.conv.weight`);
  const gamma = await source.readF32(`${ROOT}.0.layer_norm.weight`);
  const beta = await source.readF32(`${ROOT}.0.layer_norm.bias`);
  return { convs, first: { weight, gamma, beta } };
}

/** Samples [time, 1] → features [frames, channels] of one clip: it is normalized over the whole clip (spec model §11.36). */
export function hubertFeatureStage(features: HubertFeatures, samples: Float32Array): TimeStage {
  const { convs } = features;
  const last = convs.at(-1);
  if (last === undefined) throw new HiggsError("INTERNAL", "encode", "the semantic model has no convolutions");
  const { scale, shift } = normalization(features, samples);
  return {
    layers: convs.map(timeLayerOf),
    channelsOut: last.weight.shape[2],
    bytesPerStep: bytesPerSample(convs),
    maxNodes: NODES_PER_CONV * convs.length,
    build: ({ graph, observe, input }, samplesPiece) => {
      let x = samplesPiece;
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
    },
  };
}

/** GroupNorm with one group per channel, as a factor and a summand per channel. */
function normalization({ convs, first }: HubertFeatures, samples: Float32Array) {
  const width = convs[0]?.weight.shape[0] ?? 1;
  const stride = convs[0]?.stride ?? 1;
  const { mean, variance } = convolutionStatistics(samples, first.weight, { width, stride });
  const scale = first.gamma.map((gamma, channel) => gamma / Math.sqrt((variance[channel] ?? 0) + GROUP_NORM_EPSILON));
  const shift = first.beta.map((beta, channel) => beta - (mean[channel] ?? 0) * (scale[channel] ?? 0));
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
