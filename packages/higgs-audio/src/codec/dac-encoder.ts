import type { CodecWeights } from "./codec-weights.ts";
import type { TimeStage } from "./graph-runner.ts";
import {
  alongTime,
  type Conv1d,
  conv1d,
  defineConv1d,
  defineResidualUnits,
  defineSnake,
  residualUnit,
  snake,
  timeLayerOf,
} from "./layers.ts";
import { defineRowStage } from "./row-stage.ts";
import { defineRowConv, defineRowResidualUnits, defineRowSnake } from "./row-weights.ts";

const ROOT = "acoustic_encoder";
const NODES_PER_STAGE = 160;
/** Columns of a convolution of width 7, and about five tensors as large as the signal. */
const VALUES_PER_CHANNEL = 12;

/**
 * From samples [1, time] to latents [channels, frames] (spec model §9.4): a convolution, one block per ratio, snake, a convolution; in
 * one stage per block and a last one, of which the first has the first convolution. For devices that fuse activations.
 */
export function defineDacEncoder(weights: CodecWeights): TimeStage[] {
  const first = defineConv1d(weights, `${ROOT}.conv1`);
  const blocks = weights.config.encoderRatios.map((stride, index): TimeStage => {
    const name = `${ROOT}.block.${index}`;
    const start = index === 0 ? first : null;
    const units = defineResidualUnits(weights, name);
    const snake1 = defineSnake(weights, `${name}.snake1`);
    const conv1 = defineConv1d(weights, `${name}.conv1`, { stride, padding: Math.ceil(stride / 2) });
    const convs = [...(start === null ? [] : [start]), ...units.flatMap((unit) => [unit.conv1, unit.conv2]), conv1];
    return {
      ...sizesOf(convs, conv1.weight.shape[1]),
      build: ({ graph, observe }, input) =>
        alongTime(graph, input, (samples) => {
          let x = start === null ? samples : observe("dac.conv1", conv1d(graph, start, samples));
          for (const unit of units) x = residualUnit(graph, unit, x);
          return observe(`dac.block.${index}`, conv1d(graph, conv1, snake(graph, snake1, x)));
        }),
    };
  });
  const snake1 = defineSnake(weights, `${ROOT}.snake1`);
  const conv2 = defineConv1d(weights, `${ROOT}.conv2`);
  const last: TimeStage = {
    ...sizesOf([conv2], conv2.weight.shape[1]),
    build: ({ graph, observe }, input) =>
      alongTime(graph, input, (x) => observe("dac.out", conv1d(graph, conv2, snake(graph, snake1, x)))),
  };
  return [...blocks, last];
}

function sizesOf(convs: readonly Conv1d[], channels: number): Omit<TimeStage, "build"> {
  return {
    layers: convs.map(timeLayerOf),
    channelsOut: convs.at(-1)?.weight.shape[2] ?? 0,
    bytesPerStep: channels * VALUES_PER_CHANNEL * Float32Array.BYTES_PER_ELEMENT,
    maxNodes: () => NODES_PER_STAGE,
  };
}

/** The same for CPUs, in tiles (see row-layers.ts); small checkpoints have too few channels for quick products, so all rows but the last are padded. */
export function defineRowDacEncoder(weights: CodecWeights): TimeStage[] {
  const first = defineRowConv(weights, `${ROOT}.conv1`, { padsChannels: "results" });
  const [startChannels = 0] = weights.shapeOf(`${ROOT}.conv1.weight`);
  const blocks = weights.config.encoderRatios.map((stride, index): TimeStage => {
    const name = `${ROOT}.block.${index}`;
    const start = index === 0 ? [first] : [];
    const units = defineRowResidualUnits(weights, name, { isPadded: true });
    const snake1 = defineRowSnake(weights, `${name}.snake1`, { isPadded: true });
    const padding = Math.ceil(stride / 2);
    const conv1 = defineRowConv(weights, `${name}.conv1`, { stride, padding, padsChannels: "both" });
    const [channels = 0] = weights.shapeOf(`${name}.conv1.weight`);
    const convs = [...start, ...units.flatMap((unit) => [unit.conv1, unit.conv2]), conv1];
    return defineRowStage(
      weights,
      convs,
    )((layers, { observeRows }, input) => {
      let x = input;
      for (const conv of start) x = observeRows("dac.conv1", layers.conv(conv, x), startChannels);
      for (const unit of units) x = layers.residualUnit(unit, x);
      return observeRows(`dac.block.${index}`, layers.conv(conv1, x, layers.snake(snake1)), channels);
    });
  });
  const snake1 = defineRowSnake(weights, `${ROOT}.snake1`, { isPadded: true });
  const conv2 = defineRowConv(weights, `${ROOT}.conv2`, { padsChannels: "inputs" });
  const last = defineRowStage(weights, [conv2])((layers, { observeRows }, x) =>
    observeRows("dac.out", layers.conv(conv2, x, layers.snake(snake1))),
  );
  return [...blocks, last];
}
