import type { Backend } from "@higgs-worker/ggml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CodecWeights } from "./codec-weights.ts";
import { conv1d, defineConv1d, defineSnake, defineTransposedConv1d, snake, transposedConv1d } from "./layers.ts";
import { noise, runLayer } from "./testing/run-layer.ts";
import { largestError, openCpuBackend } from "./testing/small-codec.ts";
import { type Signal, makeSignal, oracleConv1d, oracleSnake, oracleTransposedConv1d } from "./testing/oracle.ts";

let backend: Backend;
beforeAll(() => {
  backend = openCpuBackend();
});
afterAll(() => backend[Symbol.dispose]());

function signal(channels: number, time: number): Signal {
  return makeSignal(channels, time, (c, t) => Math.sin(t * 12.9898 + c * 78.233) * 0.9);
}

describe("conv1d()", () => {
  const cases = [
    { width: 7, stride: 1, dilation: 1, time: 20, padding: 3 },
    { width: 7, stride: 1, dilation: 9, time: 20, padding: 27 },
    { width: 1, stride: 1, dilation: 1, time: 5, padding: 0 },
    { width: 16, stride: 8, dilation: 1, time: 43, padding: 4 },
    { width: 6, stride: 3, dilation: 1, time: 10, padding: 2 },
    { width: 10, stride: 5, dilation: 1, time: 33, padding: 0 },
  ];
  it.each(cases)("is Σ w·x + bias at width $width, stride $stride, dilation $dilation", async (options) => {
    const [channelsIn, channelsOut] = [5, 6];
    const { width, time, ...rest } = options;
    const shape = [channelsOut, channelsIn, width] as const;
    const weight = noise(channelsOut * channelsIn * width, 3);
    const bias = noise(channelsOut, 4);
    const tensors = { "c.weight": { shape, values: weight }, "c.bias": { shape: [channelsOut], values: bias } };
    const x = signal(channelsIn, time);
    const actual = await runLayer(backend, tensors, x, (weights) => defineConv1d(weights, "c", rest), conv1d);
    const expected = oracleConv1d(x, { weight, shape, bias }, rest);
    expect(actual.shape).toEqual([expected.time, channelsOut, 1, 1]);
    expect(largestError(actual.values, expected.values)).toBeLessThan(5e-6);
  });

  it("leaves the bias out where there is none", async () => {
    const shape = [4, 3, 3] as const;
    const weight = noise(36, 5);
    const x = signal(3, 9);
    const define = (weights: CodecWeights) => defineConv1d(weights, "c", { hasBias: false });
    const actual = await runLayer(backend, { "c.weight": { shape, values: weight } }, x, define, conv1d);
    const expected = oracleConv1d(x, { weight, shape, bias: null }, { padding: 1 });
    expect(largestError(actual.values, expected.values)).toBeLessThan(5e-6);
  });
});

describe("transposedConv1d()", () => {
  it.each([2, 3, 4, 5, 8])("makes exactly n · %i samples, cropped as the reference does", async (stride) => {
    const [channelsIn, channelsOut, width, time] = [5, 3, 2 * stride, 7];
    const shape = [channelsIn, channelsOut, width] as const;
    const weight = noise(channelsIn * channelsOut * width, 6);
    const bias = noise(channelsOut, 7);
    const tensors = { "t.weight": { shape, values: weight }, "t.bias": { shape: [channelsOut], values: bias } };
    const x = signal(channelsIn, time);
    const define = (weights: CodecWeights) => defineTransposedConv1d(weights, "t", stride);
    const actual = await runLayer(backend, tensors, x, define, transposedConv1d);
    const expected = oracleTransposedConv1d(x, { weight, shape, bias }, stride);
    expect(actual.shape).toEqual([time * stride, channelsOut, 1, 1]);
    expect(largestError(actual.values, expected.values)).toBeLessThan(5e-6);
  });
});

describe("snake()", () => {
  it("is x + sin²(αx) / (α + 1e-9) with one α a channel, small and negative ones included", async () => {
    const alpha = Float32Array.of(0.2, 1, 7, -0.5, 1e-4);
    const x = signal(alpha.length, 30).map((value) => value * 5);
    const tensors = { "s.alpha": { shape: [1, alpha.length, 1], values: alpha } };
    const actual = await runLayer(backend, tensors, x, (weights) => defineSnake(weights, "s"), snake);
    expect(largestError(actual.values, oracleSnake(x, alpha).values)).toBeLessThan(5e-6);
  });
});
