import { Graph, type Backend, type Tensor } from "@higgs-worker/ggml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CodecWeights } from "./codec-weights.ts";
import { defineDacDecoder, defineRowDacDecoder } from "./dac-decoder.ts";
import { observeNothing } from "./layers.ts";
import { randomCodec } from "./random-codec.ts";
import { defineScratch, RowLayers, rowSnake } from "./row-layers.ts";
import {
  defineRowConv,
  defineRowResidualUnits,
  defineRowSnake,
  defineRowTransposedConv,
  type RowConv,
} from "./row-weights.ts";
import { noise, noiseTensor, runLayer, type StoredTensor } from "./testing/run-layer.ts";
import { largestError, openCpuBackend, SMALL_CODEC_CONFIG } from "./testing/small-codec.ts";
import {
  makeSignal,
  oracleAdd,
  oracleConv1d,
  oracleSnake,
  oracleTransposedConv1d,
  type Signal,
} from "./testing/oracle.ts";

let backend: Backend;
beforeAll(() => {
  backend = openCpuBackend();
  backend.setThreads(1);
});
afterAll(() => backend[Symbol.dispose]());

function signal(channels: number, time: number): Signal {
  return makeSignal(channels, time, (c, t) => Math.sin(t * 12.9898 + c * 78.233) * 0.9);
}

/** Longer than several tiles: of these weights a tile has 128 rows at least, and with more columns no more. */
const LONG = 1000;
const WIDE = 160;

interface Defined<Layer> {
  readonly layer: Layer;
  readonly scratch: ReturnType<typeof defineScratch>;
}

/** Runs row layers on a signal, and gives [time, channels] back as the oracle has it. */
async function runRows<Layer>(
  tensors: Readonly<Record<string, StoredTensor>>,
  x: Signal,
  define: (weights: CodecWeights) => { readonly layer: Layer; readonly convs: readonly RowConv[] },
  apply: (layers: RowLayers, layer: Layer, input: Tensor, graph: Graph) => Tensor,
): Promise<StoredTensor> {
  return await runLayer(
    backend,
    tensors,
    x,
    (weights): Defined<Layer> => {
      const { layer, convs } = define(weights);
      return { layer, scratch: defineScratch(weights, convs) };
    },
    (graph, { layer, scratch }, input) => {
      const layers = new RowLayers(graph, scratch, WIDE * 8 * LONG);
      return graph.cont(graph.transpose(apply(layers, layer, graph.cont(graph.transpose(input)), graph)));
    },
  );
}

describe("RowLayers.conv()", () => {
  it.each([
    { width: 7, stride: 1, dilation: 1, time: 20, padding: 3, channels: 5 },
    { width: 7, stride: 1, dilation: 9, time: 20, padding: 27, channels: 5 },
    { width: 7, stride: 1, dilation: 1, time: LONG, padding: 3, channels: WIDE },
    { width: 7, stride: 1, dilation: 3, time: LONG, padding: 9, channels: WIDE },
    { width: 7, stride: 1, dilation: 9, time: LONG, padding: 27, channels: WIDE },
    { width: 1, stride: 1, dilation: 1, time: 5, padding: 0, channels: 5 },
    { width: 16, stride: 8, dilation: 1, time: 43, padding: 4, channels: 5 },
    { width: 16, stride: 8, dilation: 1, time: 4 * LONG, padding: 4, channels: WIDE },
    { width: 6, stride: 3, dilation: 1, time: LONG, padding: 2, channels: WIDE },
    { width: 10, stride: 5, dilation: 1, time: 33, padding: 0, channels: 5 },
  ])(
    "is Σ w·x + bias at width $width, stride $stride, dilation $dilation, $time long",
    async ({ width, time, channels, ...rest }) => {
      const channelsOut = 6;
      const shape = [channelsOut, channels, width] as const;
      const weight = noise(channelsOut * channels * width, 3);
      const bias = noise(channelsOut, 4);
      const tensors = { "c.weight": { shape, values: weight }, "c.bias": { shape: [channelsOut], values: bias } };
      const x = signal(channels, time);
      const define = (weights: CodecWeights) => {
        const layer = defineRowConv(weights, "c", rest);
        return { layer, convs: [layer] };
      };
      const actual = await runRows(tensors, x, define, (layers, layer, input) => layers.conv(layer, input));
      const expected = oracleConv1d(x, { weight, shape, bias }, rest);
      expect(actual.shape).toEqual([expected.time, channelsOut, 1, 1]);
      // Sums of a thousand values; processors with shorter vectors round more often.
      expect(largestError(actual.values, expected.values)).toBeLessThan(1e-4);
    },
  );
});

describe("RowLayers.transposedConv()", () => {
  it.each([
    { stride: 2, width: 4, time: 7, channelsIn: 5 },
    { stride: 3, width: 6, time: 7, channelsIn: 5 },
    { stride: 5, width: 10, time: 1, channelsIn: 5 },
    { stride: 8, width: 16, time: LONG, channelsIn: WIDE * 4 },
    { stride: 3, width: 11, time: 9, channelsIn: 5 },
  ])("makes exactly $time · $stride samples, width $width", async ({ stride, width, time, channelsIn }) => {
    const channelsOut = 3;
    const shape = [channelsIn, channelsOut, width] as const;
    const weight = noise(channelsIn * channelsOut * width, 6);
    const bias = noise(channelsOut, 7);
    const alpha = noise(channelsIn, 8);
    const tensors = {
      "t.weight": { shape, values: weight },
      "t.bias": { shape: [channelsOut], values: bias },
      "s.alpha": { shape: [1, channelsIn, 1], values: alpha },
    };
    const x = signal(channelsIn, time);
    const define = (weights: CodecWeights) => {
      const convT = defineRowTransposedConv(weights, "t", stride);
      return { layer: { convT, snake: defineRowSnake(weights, "s") }, convs: [convT.steps] };
    };
    const actual = await runRows(tensors, x, define, (layers, { convT, snake }, input) =>
      layers.transposedConv(convT, input, layers.snake(snake)),
    );
    const expected = oracleTransposedConv1d(oracleSnake(x, alpha), { weight, shape, bias }, stride);
    expect(actual.shape).toEqual([time * stride, channelsOut, 1, 1]);
    expect(largestError(actual.values, expected.values)).toBeLessThan(2e-4);
  });
});

describe("RowLayers.residualUnit()", () => {
  it.each([30, LONG])("is conv(snake(conv(snake(x)))) + x for all three dilations, %i long", async (time) => {
    const channels = time === LONG ? WIDE : 5;
    const tensors: Record<string, StoredTensor> = {};
    for (const unit of [1, 2, 3]) {
      const name = `b.res_unit${unit}`;
      for (const [conv, width] of [
        ["conv1", 7],
        ["conv2", 1],
      ] as const) {
        const { shape, values } = noiseTensor(unit + width, channels, channels, width);
        tensors[`${name}.${conv}.weight`] = { shape, values: values.map((value) => value / channels) };
        tensors[`${name}.${conv}.bias`] = noiseTensor(unit + 10, channels);
      }
      tensors[`${name}.snake1.alpha`] = noiseTensor(unit + 20, 1, channels, 1);
      tensors[`${name}.snake2.alpha`] = noiseTensor(unit + 30, 1, channels, 1);
    }
    const x = signal(channels, time);
    const define = (weights: CodecWeights) => {
      const units = defineRowResidualUnits(weights, "b");
      return { layer: units, convs: units.map((unit) => unit.conv1) };
    };
    const actual = await runRows(tensors, x, define, (layers, units, input) =>
      units.reduce((y, unit) => layers.residualUnit(unit, y), input),
    );
    const values = (name: string): Float32Array => tensors[name]?.values ?? new Float32Array(0);
    let expected = x;
    for (const [index, dilation] of [1, 3, 9].entries()) {
      const name = `b.res_unit${index + 1}`;
      const conv = (part: string, width: number) => ({
        weight: values(`${name}.${part}.weight`),
        shape: [channels, channels, width] as const,
        bias: values(`${name}.${part}.bias`),
      });
      const inner = oracleConv1d(oracleSnake(expected, values(`${name}.snake1.alpha`)), conv("conv1", 7), {
        padding: 3 * dilation,
        dilation,
      });
      const outer = oracleConv1d(oracleSnake(inner, values(`${name}.snake2.alpha`)), conv("conv2", 1), { padding: 0 });
      expected = oracleAdd(outer, expected);
    }
    expect(largestError(actual.values, expected.values)).toBeLessThan(5e-5);
  });
});

describe("rowSnake()", () => {
  it("is x + sin²(αx) / (α + 1e-9) with one α a channel, small and negative ones included", async () => {
    const alpha = Float32Array.of(0.2, 1, 7, -0.5, 1e-4);
    const x = signal(alpha.length, 30).map((value) => value * 5);
    const tensors = { "s.alpha": { shape: [1, alpha.length, 1], values: alpha } };
    const actual = await runLayer(
      backend,
      tensors,
      x,
      (weights) => defineRowSnake(weights, "s"),
      (graph, layer, input) => graph.cont(graph.transpose(rowSnake(graph, layer, graph.cont(graph.transpose(input))))),
    );
    expect(largestError(actual.values, oracleSnake(x, alpha).values)).toBeLessThan(5e-6);
  });
});

describe("the two forms of the DAC decoder", () => {
  it.each([1, 7, 60])("make the same samples of %i frames", async (frames) => {
    const source = randomCodec(SMALL_CODEC_CONFIG, { seed: 3 });
    const latents = noise(SMALL_CODEC_CONFIG.acousticHiddenSize * frames, 5);
    const results: Float32Array[] = [];
    for (const define of [defineDacDecoder, defineRowDacDecoder]) {
      using weights = new CodecWeights(backend, source, { maxTensors: 400 });
      const decoder = define(weights);
      await weights.load(backend);
      using graph = new Graph(backend.ggml, { maxNodes: 8 + decoder.maxNodes(frames) });
      const input = graph.input("latents", "f32", SMALL_CODEC_CONFIG.acousticHiddenSize, frames);
      const output = graph.output(decoder.build(graph, input, observeNothing));
      graph.allocate(backend);
      // Twice: what a tile leaves behind must not matter.
      for (let run = 0; run < 2; run++) {
        input.set(latents);
        backend.compute(graph);
        results.push(output.toFloat32());
      }
    }
    const [first = new Float32Array(0), ...others] = results;
    const peak = first.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    expect(first).toHaveLength(frames * 960);
    for (const other of others) expect(largestError(other, first) / peak).toBeLessThan(2e-5);
  });
});
