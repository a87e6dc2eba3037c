import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";

/** Transposed convolution whose output is exactly `stride` times as long as its input (spec model §9.4). */
export interface TransposedConv1d {
  /** [channelsIn, width · channelsOut]: one row for each output channel and tap. */
  readonly weight: Tensor;
  /** [1, channelsOut] */
  readonly bias: Tensor;
  readonly width: number;
  readonly channelsOut: number;
  readonly stride: number;
  /** Samples of the full result that are dropped on the left: ⌈stride / 2⌉. */
  readonly cropLeft: number;
}

/** Defines `name.weight` (PyTorch [in, out, width]) and `name.bias`. */
export function defineTransposedConv1d(weights: CodecWeights, name: string, stride: number): TransposedConv1d {
  const [channelsIn = 0, channelsOut = 0, width = 0] = weights.shapeOf(`${name}.weight`);
  const cropLeft = Math.ceil(stride / 2);
  if (width < stride + cropLeft) {
    throw new RangeError(`Cannot use ${name}: kernel too short (got ${width}, needed ${stride + cropLeft})`);
  }
  const weight = weights.derive(`${name}.weight`, [channelsIn, width * channelsOut], async () =>
    transpose(await weights.source.readF32(`${name}.weight`), channelsIn, channelsOut * width),
  );
  return { weight, bias: weights.defineColumn(`${name}.bias`), width, channelsOut, stride, cropLeft };
}

/** [time, channelsIn] → [time · stride, channelsOut] */
export function transposedConv1d(graph: Graph, layer: TransposedConv1d, x: Tensor): Tensor {
  const { stride, channelsOut, cropLeft } = layer;
  const columns = graph.mulMat(layer.weight, graph.cont(graph.transpose(x)), { precise: true });
  // col2im crops the same count on both sides; an odd stride drops one sample more on the left than on the right.
  const padding = Math.floor(stride / 2);
  const cropped = graph.col2im1d(columns, { stride, channels: channelsOut, padding });
  const time = x.shape[0] * stride;
  const skipped = cropLeft - padding;
  const exact =
    skipped === 0 && cropped.shape[0] === time
      ? cropped
      : graph.view(cropped, [time, channelsOut], { strides: [cropped.strides[1]], byteOffset: skipped * 4 });
  return graph.add(exact, layer.bias);
}

/** Row-major [rows, columns] → [columns, rows]. */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column] ?? 0;
    }
  }
  return result;
}
