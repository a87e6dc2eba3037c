import type { Backend } from "@higgs-worker/ggml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CodecWeights } from "./codec-weights.ts";
import { defineDacEncoder, defineRowDacEncoder } from "./dac-encoder.ts";
import { GraphRunner, type TimeStage } from "./graph-runner.ts";
import { defineHubertFeatures, defineRowHubertFeatures } from "./hubert-features.ts";
import { randomCodec } from "./random-codec.ts";
import { defineRowSemanticEncoder, defineSemanticEncoder } from "./semantic-encoder.ts";
import { noise } from "./testing/run-layer.ts";
import { largestError, openCpuBackend, SMALL_CODEC_CONFIG } from "./testing/small-codec.ts";
import type { Features } from "./time-stage.ts";

let backend: Backend;
beforeAll(() => {
  backend = openCpuBackend();
  backend.setThreads(1);
});
afterAll(() => backend[Symbol.dispose]());

function noiseOf(channels: number, time: number): Features {
  return { channels, time, values: noise(channels * time, 5) };
}

/** What a stage sees, and what comes out. */
interface Seen {
  readonly output: Features;
  readonly stages: ReadonlyMap<string, Float32Array>;
}

async function runForm(
  input: Features,
  define: (weights: CodecWeights) => Promise<readonly TimeStage[]>,
  pieceBytes?: number,
): Promise<Seen> {
  using weights = new CodecWeights(backend, randomCodec(SMALL_CODEC_CONFIG, { seed: 3 }), { maxTensors: 400 });
  const stages = await define(weights);
  await weights.load(backend);
  const seen = new Map<string, Float32Array>();
  using runner = new GraphRunner(backend, {
    listener: (stage, values) => void seen.set(stage, values),
    ...(pieceBytes === undefined ? {} : { pieceBytes }),
  });
  let output = input;
  for (const stage of stages) output = await runner.runStage(stage, output);
  return { output, stages: seen };
}

const SAMPLES = noiseOf(1, 20_000);

describe("the two forms of the encoder's stages", () => {
  it.each([
    {
      part: "DAC",
      input: SAMPLES,
      forDevices: async (weights: CodecWeights) => defineDacEncoder(weights),
      forCpus: async (weights: CodecWeights) => defineRowDacEncoder(weights),
      pieceBytes: 40_000,
    },
    {
      part: "HuBERT features",
      input: SAMPLES,
      forDevices: async (weights: CodecWeights) => [(await defineHubertFeatures(weights)).stage(SAMPLES.values)],
      forCpus: async (weights: CodecWeights) => [(await defineRowHubertFeatures(weights)).stage(SAMPLES.values)],
      pieceBytes: 40_000,
    },
    {
      part: "semantic",
      input: noiseOf(SMALL_CODEC_CONFIG.hubert.hiddenSize, 400),
      forDevices: async (weights: CodecWeights) => [defineSemanticEncoder(weights)],
      forCpus: async (weights: CodecWeights) => [defineRowSemanticEncoder(weights)],
      pieceBytes: 20_000,
    },
  ])("make the same of the $part encoder, the rows to the bit in pieces", async (which) => {
    const { input, forDevices, forCpus, pieceBytes } = which;
    const expected = await runForm(input, forDevices);
    const whole = await runForm(input, forCpus);
    const pieced = await runForm(input, forCpus, pieceBytes);
    expect(whole.output.time).toBe(expected.output.time);
    expect(whole.output.channels).toBe(expected.output.channels);
    expect([...whole.stages.keys()]).toEqual([...expected.stages.keys()]);
    for (const [stage, values] of expected.stages) {
      expect(largestError(whole.stages.get(stage) ?? [], values), stage).toBeLessThan(5e-5);
    }
    expect(largestError(whole.output.values, expected.output.values)).toBeLessThan(5e-5);
    expect(largestError(pieced.output.values, whole.output.values)).toBe(0);
  });
});
