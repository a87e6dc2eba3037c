import type { Backend } from "@higgs-worker/ggml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CodecWeights } from "./codec-weights.ts";
import { defineDacEncoder } from "./dac-encoder.ts";
import { BOSON_ENCODE_RULES, type EncodeTiming, padBoth, planLengths } from "./encode-lengths.ts";
import { randomCodec } from "./random-codec.ts";
import { SMALL_CODEC_CONFIG, openCpuBackend } from "./testing/small-codec.ts";

let backend: Backend;
let timing: EncodeTiming;
beforeAll(() => {
  backend = openCpuBackend();
  // Strides and kernels are the released ones.
  const { hubert, semanticDownsampleFactor, hopLength } = SMALL_CODEC_CONFIG;
  using weights = new CodecWeights(backend, randomCodec(SMALL_CODEC_CONFIG, { seed: 1 }), { maxTensors: 200 });
  timing = {
    acousticLayers: defineDacEncoder(weights).flatMap(({ layers }) => layers),
    semanticLayers: hubert.convKernel.map((width, index) => {
      return { kind: "conv", width, stride: hubert.convStride[index] ?? 0, padding: 0, dilation: 1 };
    }),
    resampling: { from: 3, to: 2 },
    semanticDownsampleFactor,
    hopLength,
  };
});
afterAll(() => backend[Symbol.dispose]());

describe("planLengths()", () => {
  it("makes ⌊(L + 841) / 960⌋ frames, and pads exactly where 119 ≤ L mod 960 ≤ 631", () => {
    for (let samples = 2000; samples < 12_000; samples++) {
      const boson = planLengths(samples, timing, BOSON_ENCODE_RULES);
      const other = planLengths(samples, timing, { acousticPadding: () => 480 });
      const isPadded = samples % 960 >= 119 && samples % 960 <= 631;
      expect(boson, `${samples}`).toEqual({
        frames: Math.floor((samples + 841) / 960),
        acousticPadding: isPadded ? 320 : 0,
      });
      expect(other, `${samples}`).toEqual({ frames: boson.frames, acousticPadding: isPadded ? 480 : 0 });
    }
    expect(planLengths(199_999, timing, BOSON_ENCODE_RULES).frames).toBe(209);
  });

  it("makes no frames of a few samples", () => {
    for (const samples of [0, 1, 100]) expect(planLengths(samples, timing, BOSON_ENCODE_RULES).frames).toBe(0);
  });
});

describe("padBoth()", () => {
  it("adds zeros on both sides", () => {
    expect([...padBoth(Float32Array.of(1, 2), 2)]).toEqual([0, 0, 1, 2, 0, 0]);
  });
});
