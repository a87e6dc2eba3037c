/**
 * Weights of the codec's layers for CPUs: [channels, time], one row of channels for each moment. `layers.ts` has the same for
 * devices, [time, channels], where activations are fused. On a CPU that form spends more time around the products than in them: ggml
 * applies a value per channel to rows along time one number at a time, and gathers and turns columns one number at a time
 * (docs/decisions/0024).
 */
import type { Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";
import { type Conv1dOptions, DILATIONS, inverseAlpha } from "./layers.ts";
import type { TimeLayer } from "./receptive-field.ts";

/** One-dimensional convolution with zero padding on both sides (spec model §9.4). */
export interface RowConv {
  /** [channelsIn · taps, channelsOut], tap by tap */
  readonly weight: Tensor;
  /** [channelsOut] */
  readonly bias: Tensor | null;
  readonly width: number;
  /** The width, or more with zeros for the last ones: ggml's product of f32 matrices needs rows of a multiple of 16 to be quick. */
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  /** Zeros on each side. */
  readonly padding: number;
}

/** What the longest vectors that ggml multiplies hold; shorter ones divide it. */
const ROW_MULTIPLE = 16;

/** Channels of a chain of layers whose rows are made longer; its products meet ggml's quick kernel then, which wants a multiple of 4 results. */
const CHANNEL_MULTIPLE = 8;

/** Channels that a row of a padded chain has; those behind the checkpoint's are zeros. */
function paddedChannels(channels: number): number {
  return Math.ceil(channels / CHANNEL_MULTIPLE) * CHANNEL_MULTIPLE;
}

/** Where a chain of layers with padded channels begins, goes on, and ends. */
export type ChannelPadding = "none" | "results" | "both" | "inputs";

export interface RowConvOptions extends Conv1dOptions {
  /** Which rows get the zeros of `paddedChannels`; none unless given. */
  readonly padsChannels?: ChannelPadding;
}

/** Defines `name.weight` (PyTorch [out, in, width]) and, unless `hasBias` is false, `name.bias`; the padding keeps the length at stride 1 unless given. */
export function defineRowConv(weights: CodecWeights, name: string, options: RowConvOptions = {}): RowConv {
  const [outputs = 0, inputs = 0, width = 0] = weights.shapeOf(`${name}.weight`);
  const { stride = 1, dilation = 1, hasBias = true, padsChannels = "none" } = options;
  const channelsIn = padsChannels === "both" || padsChannels === "inputs" ? paddedChannels(inputs) : inputs;
  const channelsOut = padsChannels === "both" || padsChannels === "results" ? paddedChannels(outputs) : outputs;
  const padding = options.padding ?? (dilation * (width - 1)) / 2;
  const taps = quickTaps(channelsIn, width);
  const weight = weights.derive(`${name}.weight`, [channelsIn * taps, channelsOut], async () => {
    const values = await weights.source.readF32(`${name}.weight`);
    return tapByTap(values, { channels: inputs, width }, { channels: channelsIn, taps, rows: channelsOut });
  });
  const bias = hasBias ? defineVector(weights, `${name}.bias`, channelsOut) : null;
  return { weight, bias, width, taps, stride, dilation, padding };
}

/** A value per channel, with zeros behind up to `length`. */
function defineVector(weights: CodecWeights, name: string, length: number): Tensor {
  return weights.derive(name, [length], async () => withZeros(await weights.source.readF32(name), length));
}

function withZeros(values: Float32Array, length: number): Float32Array {
  if (values.length === length) return values;
  const result = new Float32Array(length);
  result.set(values);
  return result;
}

/** The width, or the next one whose products are quick; the width where that would be more than twice the work. */
function quickTaps(channels: number, width: number): number {
  for (let taps = width; taps <= Math.max(2 * width, ROW_MULTIPLE); taps++) {
    if ((channels * taps) % ROW_MULTIPLE === 0) return taps;
  }
  return width;
}

/** [rows][channels][width] → [rows][taps][channels], with zeros where the result is larger */
function tapByTap(
  values: Float32Array,
  { channels, width }: { channels: number; width: number },
  to: { rows: number; channels: number; taps: number },
): Float32Array {
  const rows = values.length / (channels * width);
  const result = new Float32Array(to.rows * to.taps * to.channels);
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let tap = 0; tap < width; tap++) {
        const place = (row * to.taps + tap) * to.channels + channel;
        result[place] = values[(row * channels + channel) * width + tap] ?? 0;
      }
    }
  }
  return result;
}

export function channelsIn({ weight, taps }: RowConv): number {
  return weight.shape[0] / taps;
}

/** Inputs from the first to the last that an output sees, the zero taps left aside. */
export function spanOf({ dilation, width }: RowConv): number {
  return dilation * (width - 1) + 1;
}

/** Outputs of `time` inputs. */
export function rowOutputs(layer: RowConv, time: number): number {
  return Math.floor((time + 2 * layer.padding - spanOf(layer)) / layer.stride) + 1;
}

/** How it maps time. */
export function rowTimeLayerOf({ width, stride, padding, dilation }: RowConv): TimeLayer {
  return { kind: "conv", width, stride, padding, dilation };
}

/** Convolution of groups of channels with themselves only, stride 1, width/2 zeros on both sides (spec model §9.5). */
export interface RowGroupedConv {
  /** Its weight is [channels / groups · width, channels], the rows of one group after those of another. */
  readonly conv: RowConv;
  readonly groups: number;
}

/** Defines `name.weight` (PyTorch [channels, channels / groups, width]) and `name.bias`. */
export function defineRowGroupedConv(weights: CodecWeights, name: string, groups: number): RowGroupedConv {
  const [, , width = 0] = weights.shapeOf(`${name}.weight`);
  return { conv: defineRowConv(weights, name, { padding: Math.floor(width / 2) }), groups };
}

/** Transposed convolution whose output is exactly `stride` times as long as its input (spec model §9.4). */
export interface RowTransposedConv {
  /** [channelsIn, time] → [channelsOut · stride, time + taps − 1]: all outputs of one step, from the inputs that reach them. */
  readonly steps: RowConv;
  /** [channelsOut] */
  readonly bias: Tensor;
  readonly width: number;
  readonly stride: number;
  /** Outputs of the full result that are dropped on the left: ⌈stride / 2⌉. */
  readonly cropLeft: number;
}

/** Defines `name.weight` (PyTorch [in, out, width]) and `name.bias`. */
export function defineRowTransposedConv(weights: CodecWeights, name: string, stride: number): RowTransposedConv {
  const [channelsIn = 0, channelsOut = 0, width = 0] = weights.shapeOf(`${name}.weight`);
  const cropLeft = Math.ceil(stride / 2);
  if (width < stride + cropLeft) {
    throw new RangeError(`Cannot use ${name}: kernel too short (got ${width}, needed ${stride + cropLeft})`);
  }
  // Inputs that reach an output.
  const taps = Math.ceil(width / stride);
  const weight = weights.derive(`${name}.weight`, [channelsIn * taps, channelsOut * stride], async () =>
    stepByStep(await weights.source.readF32(`${name}.weight`), { channelsIn, channelsOut, width, stride, taps }),
  );
  const steps = { weight, bias: null, width: taps, taps, stride: 1, dilation: 1, padding: taps - 1 };
  return { steps, bias: weights.define(`${name}.bias`), width, stride, cropLeft };
}

interface TransposedShape {
  readonly channelsIn: number;
  readonly channelsOut: number;
  readonly width: number;
  readonly stride: number;
  readonly taps: number;
}

/** Output r of step i takes tap r + m · stride of input i − m; the oldest input comes first in a row. */
function stepByStep(
  values: Float32Array,
  { channelsIn, channelsOut, width, stride, taps }: TransposedShape,
): Float32Array {
  const result = new Float32Array(channelsIn * taps * channelsOut * stride);
  for (let input = 0; input < channelsIn; input++) {
    for (let output = 0; output < channelsOut; output++) {
      for (let tap = 0; tap < width; tap++) {
        const age = Math.floor(tap / stride);
        const row = (tap % stride) * channelsOut + output;
        const column = (taps - 1 - age) * channelsIn + input;
        result[row * channelsIn * taps + column] = values[(input * channelsOut + output) * width + tap] ?? 0;
      }
    }
  }
  return result;
}

/** The activation x + sin²(αx) / (α + 1e-9), with one α per channel (spec model §9.4, §11.34). */
export interface RowSnake {
  /** [channels] */
  readonly alpha: Tensor;
  /** 1 / (α + 1e-9), [channels] */
  readonly inverse: Tensor;
}

/** Defines `name.alpha` (PyTorch [1, channels, 1]) and its inverse; padded channels keep their zeros. */
export function defineRowSnake(weights: CodecWeights, name: string, options: { isPadded?: boolean } = {}): RowSnake {
  const count = weights.shapeOf(`${name}.alpha`).reduce((product, size) => product * size, 1);
  const channels = options.isPadded === true ? paddedChannels(count) : count;
  const read = async (): Promise<Float32Array> => withZeros(await weights.source.readF32(`${name}.alpha`), channels);
  return {
    alpha: weights.derive(`${name}.alpha`, [channels], read),
    inverse: weights.derive(`${name}.inverse`, [channels], async () => inverseAlpha(await read())),
  };
}

/** snake, dilated convolution, snake, 1×1 convolution, plus the input; the length stays (spec model §9.4). */
export interface RowResidualUnit {
  readonly snake1: RowSnake;
  readonly conv1: RowConv;
  readonly snake2: RowSnake;
  readonly conv2: RowConv;
}

/** Defines the three residual units `name.res_unit1` … `res_unit3` of a DAC block. */
export function defineRowResidualUnits(
  weights: CodecWeights,
  name: string,
  { isPadded = false }: { isPadded?: boolean } = {},
): RowResidualUnit[] {
  const padsChannels = isPadded ? "both" : "none";
  return DILATIONS.map((dilation, index) => {
    const unit = `${name}.res_unit${index + 1}`;
    return {
      snake1: defineRowSnake(weights, `${unit}.snake1`, { isPadded }),
      conv1: defineRowConv(weights, `${unit}.conv1`, { dilation, padsChannels }),
      snake2: defineRowSnake(weights, `${unit}.snake2`, { isPadded }),
      conv2: defineRowConv(weights, `${unit}.conv2`, { padsChannels }),
    };
  });
}
