import type { Backend } from "@higgs-worker/ggml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attention, defineAttention, queriesPerBlock } from "./attention.ts";
import { defineGroupedConv1d, defineLayerNorm, groupedConv1d, layerNorm } from "./layers.ts";
import { defineScratch, RowLayers } from "./row-layers.ts";
import { defineRowGroupedConv } from "./row-weights.ts";
import { type Signal, makeSignal, oracleConv1d, oracleLinear, value } from "./testing/oracle.ts";
import { noise, noiseTensor, runLayer } from "./testing/run-layer.ts";
import { largestError, openCpuBackend } from "./testing/small-codec.ts";
import { convolutionStatistics } from "./time-statistics.ts";

let backend: Backend;
beforeAll(() => {
  backend = openCpuBackend();
  backend.setThreads(1);
});
afterAll(() => backend[Symbol.dispose]());

function signal(channels: number, time: number): Signal {
  return makeSignal(channels, time, (c, t) => Math.sin(t * 12.9898 + c * 78.233) * 0.9);
}

/** [time][channel], as a tensor with the channels fastest lies in memory. */
function channelsFastest(x: Signal): number[] {
  return Array.from({ length: x.time }, (_, t) =>
    Array.from({ length: x.channels }, (_unused, c) => x.at(c, t)),
  ).flat();
}

describe("grouped convolutions", () => {
  it.each([
    { width: 16, groups: 3, size: 4, time: 11 },
    { width: 6, groups: 5, size: 3, time: 20 },
    { width: 5, groups: 2, size: 5, time: 9 },
    { width: 128, groups: 2, size: 2, time: 7 },
    // Several tiles.
    { width: 128, groups: 2, size: 8, time: 500 },
  ])(
    "convolves $groups groups of $size with width $width and keeps the length",
    async ({ width, groups, size, time }) => {
      const channels = groups * size;
      const weight = noiseTensor(1, channels, size, width);
      const bias = noiseTensor(2, channels);
      const x = signal(channels, time);
      const tensors = { "g.weight": weight, "g.bias": bias };
      const full = oracleConv1d(
        x,
        { weight: weight.values, shape: [channels, size, width], bias: bias.values },
        { padding: Math.floor(width / 2), groups },
      );
      const expected = makeSignal(channels, time, (c, t) => full.at(c, t));
      const forDevices = await runLayer(
        backend,
        tensors,
        x,
        (weights) => defineGroupedConv1d(weights, "g", groups),
        groupedConv1d,
      );
      const forCpus = await runLayer(
        backend,
        tensors,
        x,
        (weights) => {
          const layer = defineRowGroupedConv(weights, "g", groups);
          return { layer, scratch: defineScratch(weights, [layer.conv]) };
        },
        (graph, { layer, scratch }, input) =>
          new RowLayers(graph, scratch, 1).groupedConv(layer, graph.cont(graph.transpose(input))),
      );
      for (const { shape, values } of [forDevices, forCpus]) {
        expect(shape).toEqual([channels, time, 1, 1]);
        // Sums of up to 1024 products.
        expect(largestError(values, channelsFastest(expected))).toBeLessThan(1e-4);
      }
    },
  );
});

describe("convolutionStatistics()", () => {
  it("tells mean and variance of a convolution's output, with an offset in the input too", () => {
    const [channels, width, stride] = [6, 10, 5];
    const weight = noise(channels * width, 3);
    for (const [length, offset] of [
      [403, 0],
      [1000, 4],
      [10, 0],
    ] as const) {
      const samples = noise(length, 4).map((sample) => sample + offset);
      const x = makeSignal(1, length, (_, t) => value(samples, t));
      const output = oracleConv1d(x, { weight, shape: [channels, 1, width], bias: null }, { stride, padding: 0 });
      const { mean, variance } = convolutionStatistics(samples, weight, { width, stride });
      for (let c = 0; c < channels; c++) {
        const row = output.values.subarray(c * output.time, (c + 1) * output.time);
        const average = row.reduce((sum, v) => sum + v, 0) / row.length;
        expect(mean[c]).toBeCloseTo(average, 8);
        expect(variance[c]).toBeCloseTo(row.reduce((sum, v) => sum + (v - average) ** 2, 0) / row.length, 8);
      }
    }
  });
});

describe("layerNorm()", () => {
  it("normalizes the channels of each time", async () => {
    const [channels, time, epsilon] = [7, 5, 1e-5];
    const [weight, bias] = [noiseTensor(5, channels), noiseTensor(6, channels)];
    const x = signal(channels, time);
    const actual = await runLayer(
      backend,
      { "n.weight": weight, "n.bias": bias },
      x,
      (weights) => defineLayerNorm(weights, "n", epsilon),
      (graph, layer, input) => layerNorm(graph, layer, graph.cont(graph.transpose(input))),
    );
    const expected = x.map((v, c, t) => {
      const column = Array.from({ length: channels }, (_, k) => x.at(k, t));
      const mean = column.reduce((sum, other) => sum + other, 0) / channels;
      const variance = column.reduce((sum, other) => sum + (other - mean) ** 2, 0) / channels;
      return ((v - mean) / Math.sqrt(variance + epsilon)) * value(weight.values, c) + value(bias.values, c);
    });
    expect(largestError(actual.values, channelsFastest(expected))).toBeLessThan(1e-5);
  });
});

describe("attention()", () => {
  const [channels, heads] = [15, 5];
  const parts = ["q_proj", "k_proj", "v_proj", "out_proj"];
  const tensors = Object.fromEntries(
    parts.flatMap((part, index) => [
      [`a.${part}.weight`, noiseTensor(index, channels, channels)],
      [`a.${part}.bias`, noiseTensor(index + 10, channels)],
    ]),
  );
  const project = (part: string, input: Signal) =>
    oracleLinear(
      input,
      tensors[`a.${part}.weight`]?.values ?? new Float32Array(0),
      tensors[`a.${part}.bias`]?.values ?? new Float32Array(0),
    );

  function expected(x: Signal): Signal {
    const { time } = x;
    const [q, k, v] = [project("q_proj", x), project("k_proj", x), project("v_proj", x)];
    const size = channels / heads;
    const mixed = makeSignal(channels, time, (channel, t) => {
      const first = Math.floor(channel / size) * size;
      const weights = Array.from({ length: time }, (_, other) => {
        let score = 0;
        for (let c = first; c < first + size; c++) score += q.at(c, t) * k.at(c, other);
        return Math.exp(score / Math.sqrt(size));
      });
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return weights.reduce((sum, weight, other) => sum + (weight / total) * v.at(channel, other), 0);
    });
    return project("out_proj", mixed);
  }

  it.each(
    [1, 13, 16, 35].flatMap((time) => [1, 3 * heads * time * 4, 1e6].map((scoreBytes) => ({ time, scoreBytes }))),
  )("attends everywhere in $time times with scores in $scoreBytes bytes at a time", async ({ time, scoreBytes }) => {
    const x = signal(channels, time);
    const actual = await runLayer(
      backend,
      tensors,
      x,
      (weights) => defineAttention(weights, "a", heads),
      (graph, layer, input, scope) => attention(scope, layer, graph.cont(graph.transpose(input)), { scoreBytes }),
    );
    expect(actual.shape).toEqual([channels, time, 1, 1]);
    expect(largestError(actual.values, channelsFastest(expected(x)))).toBeLessThan(2e-5);
  });

  it("takes as many queries together as fit", () => {
    expect(queriesPerBlock(3000, 12, { scoreBytes: 96e6 })).toBe(666);
    expect(queriesPerBlock(100, 12, { scoreBytes: 96e6 })).toBe(100);
    expect(queriesPerBlock(1e6, 12, { scoreBytes: 1 })).toBe(1);
  });
});
