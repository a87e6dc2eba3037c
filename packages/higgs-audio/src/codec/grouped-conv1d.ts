import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";

/** Convolution of groups of channels with themselves only, stride 1, width/2 zeros on both sides (spec model §9.5). */
export interface GroupedConv1d {
  /** [width, channels / groups, channels] */
  readonly weight: Tensor;
  /** [channels] */
  readonly bias: Tensor;
  readonly groups: number;
}

/** Defines `name.weight` (PyTorch [channels, channels / groups, width]) and `name.bias`. */
export function defineGroupedConv1d(weights: CodecWeights, name: string, groups: number): GroupedConv1d {
  return { weight: weights.define(`${name}.weight`), bias: weights.define(`${name}.bias`), groups };
}

/** [time, channels] → [channels, time]; an even width makes one output more than inputs, which is dropped (spec model §11.36). */
export function groupedConv1d(graph: Graph, { weight, bias, groups }: GroupedConv1d, x: Tensor): Tensor {
  const [width, channelsIn, channels] = weight.shape;
  const channelsOut = channels / groups;
  const [time] = x.shape;
  let joined: Tensor | null = null;
  for (let group = 0; group < groups; group++) {
    const kernel = graph.view(weight, [width, channelsIn, channelsOut], {
      byteOffset: group * channelsOut * weight.strides[2],
    });
    const input = graph.view(x, [time, channelsIn], { byteOffset: group * channelsIn * x.strides[1] });
    const padding = Math.floor(width / 2);
    const columns = graph.im2col1d(kernel, input, { stride: 1, padding, dilation: 1, type: "f32" });
    const matrix = graph.reshape(kernel, width * channelsIn, channelsOut);
    const product = graph.mulMat(matrix, columns, { precise: true });
    joined = joined === null ? product : graph.concat(joined, product, 0);
  }
  // The last output of an even width lies at the end of the memory.
  return graph.add(graph.view(joined ?? x, [channels, time]), bias);
}
