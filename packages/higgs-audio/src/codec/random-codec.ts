import type { CodecConfig } from "../checkpoint/codec-config.ts";
import { listCodecTensors } from "../checkpoint/codec-tensors.ts";
import type { CodecSource } from "./codec-weights.ts";

/**
 * A codec of any shape with random weights: the same values for the same seed and name. Weights are scaled so that signals
 * keep their size from layer to layer, as in a trained model.
 */
export function randomCodec(config: CodecConfig, options: { seed: number }): CodecSource {
  const shapes = new Map(listCodecTensors(config).map(({ name, shape }) => [name, shape]));
  const tensor = (name: string): { readonly shape: readonly number[] } => {
    const shape = shapes.get(name);
    if (shape === undefined) throw new RangeError(`Cannot find tensor ${name}: the model has no tensor with that name`);
    return { shape };
  };
  return {
    config,
    tensor,
    readF32: (name) => Promise.resolve(randomValues(name, tensor(name).shape, options.seed)),
  };
}

function randomValues(name: string, shape: readonly number[], seed: number): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const { center, spread } = rangeOf(name, shape);
  const values = new Float32Array(count);
  let state = hashName(name, seed);
  for (let i = 0; i < count; i++) {
    // xorshift32: good enough for weights, and fast enough for 200 million of them.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = center + (state / 2 ** 31) * spread;
  }
  return values;
}

/** Uniform in center ± spread. */
function rangeOf(name: string, shape: readonly number[]): { center: number; spread: number } {
  if (name.endsWith(".alpha")) return { center: 2, spread: 1.5 };
  if (name.endsWith("norm.weight")) return { center: 1, spread: 0.2 };
  if (name.endsWith(".embed")) return { center: 0, spread: 1 };
  if (name.endsWith(".bias")) return { center: 0, spread: 0.1 };
  // The last convolution of a residual unit adds little to its input, or the signal would grow from unit to unit.
  const gain = /res_unit.*conv2|fc2|output_dense|out_proj/.test(name) ? 0.3 : 1;
  // A transposed convolution of width 2s adds up two taps of every input channel.
  const inputs = name.includes("conv_t1") ? (shape[0] ?? 1) * 2 : shape.slice(1).reduce((a, b) => a * b, 1);
  return { center: 0, spread: gain * Math.sqrt(3 / inputs) };
}

/** FNV-1a over the name, mixed with the seed; never 0, where xorshift would stay. */
function hashName(name: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash === 0 ? 1 : hash;
}
