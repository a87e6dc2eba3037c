import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isHiggsError } from "@higgs-worker/base";
import type { Backend } from "@higgs-worker/ggml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCodec } from "../checkpoint/open-checkpoint.ts";
import { CodecDecoder } from "./codec-decoder.ts";
import { CodecEncoder } from "./codec-encoder.ts";
import type { CodecSource } from "./codec-weights.ts";
import type { EncodeRules } from "./encode-lengths.ts";
import { randomCodec } from "./random-codec.ts";
import { SMALL_CODEC_CONFIG, largestError, openCpuBackend } from "./testing/small-codec.ts";

const DEMO = join(import.meta.dirname, "../../../../demo-checkpoint");

/** As transformers does it: half a frame on each side. */
const OTHER_RULES: EncodeRules = { acousticPadding: ({ hopLength }) => hopLength / 2 };

let backend: Backend;
let encoder: CodecEncoder;
beforeAll(async () => {
  backend = openCpuBackend();
  backend.setThreads(1);
  encoder = await CodecEncoder.load(backend, randomCodec(SMALL_CODEC_CONFIG, { seed: 3 }));
});
afterAll(() => {
  encoder[Symbol.dispose]();
  backend[Symbol.dispose]();
});

/** A sum of swelling tones and a little noise. */
function clip(samples: number, seed = 1): Float32Array {
  return Float32Array.from({ length: samples }, (_, i) => {
    const hum = Math.sin(i * 0.05 * seed) * Math.sin(i * 0.0009) * 0.4;
    return hum + Math.sin(i * 0.31) * 0.1 + Math.sin(i * 12.9898 * seed) * 0.02;
  });
}

async function errorOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isHiggsError(error)) return error.code;
    throw error;
  }
  return "no error";
}

/** Samples of a 16-bit mono WAV file whose header has 44 bytes. */
function readVoice(name: string): Float32Array {
  const bytes = readFileSync(join(DEMO, "voices", `${name}.wav`));
  expect(bytes.toString("latin1", 36, 40)).toBe("data");
  return Float32Array.from({ length: (bytes.length - 44) / 2 }, (_, i) => bytes.readInt16LE(44 + 2 * i) / 32_768);
}

/** Loudness of each 40 ms. */
function envelopeOf(pcm: Float32Array, frames: number): number[] {
  return Array.from({ length: frames }, (_, frame) => {
    const part = pcm.subarray(frame * 960, (frame + 1) * 960);
    return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / 960);
  });
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (list: readonly number[]) => list.reduce((sum, v) => sum + v, 0) / list.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = mean(a.map((v, i) => (v - meanA) * ((b[i] ?? 0) - meanB)));
  return product / Math.sqrt(mean(a.map((v) => (v - meanA) ** 2)) * mean(b.map((v) => (v - meanB) ** 2)));
}

describe("CodecEncoder", () => {
  it("makes ⌊(L + 841) / 960⌋ frames of codes in range", async () => {
    for (const samples of [2000, 4799, 4800, 5000, 9719]) {
      const codes = await encoder.encode(clip(samples));
      expect(codes).toHaveLength(SMALL_CODEC_CONFIG.numQuantizers);
      for (const row of codes) {
        expect(row).toHaveLength(Math.floor((samples + 841) / 960));
        expect(row.every((code) => code >= 0 && code < SMALL_CODEC_CONFIG.codebookSize)).toBe(true);
      }
    }
  });

  it("gives the same codes for the same samples, and others for others", async () => {
    const [first, again, other] = await Promise.all([
      encoder.encode(clip(12_000)),
      encoder.encode(clip(12_000)),
      encoder.encode(clip(12_000, 2)),
    ]);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it("pads by other rules only where the halves differ in length", async () => {
    const whole = clip(9600);
    expect(await encoder.encode(whole, { rules: OTHER_RULES })).toEqual(await encoder.encode(whole));
    const acousticOf = async (rules?: EncodeRules) => {
      let acoustic = new Float32Array(0);
      const listener = (stage: string, values: Float32Array) => {
        if (stage === "acoustic") acoustic = values.slice();
      };
      await encoder.encode(clip(10_000), { rules, listener });
      return acoustic;
    };
    expect(largestError(await acousticOf(), await acousticOf(OTHER_RULES))).toBeGreaterThan(1e-3);
  });

  it("computes a long clip in pieces to the same bits as in one", async () => {
    const pcm = clip(30_000);
    const pieced: [string, Float32Array][] = [];
    const whole = new Map<string, Float32Array>();
    await encoder.encode(pcm, { listener: (stage, values) => void whole.set(stage, values) });
    const options = {
      pieceBytes: 20_000,
      listener: (stage: string, values: Float32Array) => void pieced.push([stage, values]),
    };
    await encoder.encode(pcm, options);
    expect(pieced.length).toBeGreaterThan(whole.size + 20);
    for (const name of ["hubert.mean", "semantic", "acoustic", "fc"]) {
      const values = pieced.find(([stage]) => stage === name)?.[1] ?? [];
      expect(largestError(values, whole.get(name) ?? []), name).toBe(0);
    }
  });

  it("needs no more scratch memory for a longer clip once it works in pieces", async () => {
    using model = await CodecEncoder.load(backend, randomCodec(SMALL_CODEC_CONFIG, { seed: 3 }));
    await model.encode(clip(24_000), { pieceBytes: 3e5 });
    const { peakScratchBytes, weightBytes } = model.memory;
    await model.encode(clip(96_000), { pieceBytes: 3e5 });
    expect(weightBytes).toBeGreaterThan(1e5);
    expect(peakScratchBytes).toBeGreaterThan(1e5);
    // The positional convolution and the layers still grow with the length, a little.
    expect(model.memory.peakScratchBytes).toBeLessThan(2 * peakScratchBytes);
  });

  it("stops between two graphs when it is cancelled", async () => {
    const controller = new AbortController();
    const listener = (stage: string) => {
      if (stage === "hubert.state.0") controller.abort();
    };
    const seen: string[] = [];
    const options = {
      signal: controller.signal,
      listener: (stage: string) => {
        seen.push(stage);
        listener(stage);
      },
    };
    expect(await errorOf(encoder.encode(clip(12_000), options))).toBe("CANCELLED");
    expect(seen.at(-1)).toBe("hubert.state.0");
    expect((await encoder.encode(clip(2000)))[0]).toHaveLength(2);
  });

  it("refuses what makes no frame, and samples that are not numbers", async () => {
    expect(await errorOf(encoder.encode(new Float32Array(0)))).toBe("REFERENCE_INVALID");
    expect(await errorOf(encoder.encode(clip(100)))).toBe("REFERENCE_INVALID");
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await errorOf(encoder.encode(clip(2000).fill(bad, 7, 8)))).toBe("REFERENCE_INVALID");
    }
  });

  it("encodes silence", async () => {
    expect((await encoder.encode(new Float32Array(4800)))[0]).toHaveLength(5);
  });

  it("is not disposed while it works, and not used afterwards", async () => {
    const other = await CodecEncoder.load(backend, randomCodec(SMALL_CODEC_CONFIG, { seed: 3 }));
    const running = other.encode(clip(2000));
    expect(() => other[Symbol.dispose]()).toThrow(/still running/);
    await running;
    other[Symbol.dispose]();
    other[Symbol.dispose]();
    expect(await errorOf(other.encode(clip(2000)))).toBe("INTERNAL");
  });

  it("frees what it has when loading fails", async () => {
    const source = randomCodec(SMALL_CODEC_CONFIG, { seed: 3 });
    const broken: CodecSource = { ...source, readF32: () => Promise.reject(new Error("gone")) };
    await expect(CodecEncoder.load(backend, broken)).rejects.toThrow("gone");
    expect(await errorOf(CodecEncoder.load(backend, source, { signal: AbortSignal.abort() }))).toBe("CANCELLED");
  });
});

describe("the demo checkpoint's codec", () => {
  it.each(["slt", "kal"])("encodes and decodes the voice %s to what sounds like it", async (name) => {
    await using source = await openCodec(join(DEMO, "checkpoint/codec"));
    using demoEncoder = await CodecEncoder.load(backend, source);
    using decoder = await CodecDecoder.load(backend, source);
    const pcm = readVoice(name);
    const codes = await demoEncoder.encode(pcm);
    const frames = codes[0]?.length ?? 0;
    const decoded = await decoder.decode(codes);
    const similarity = correlation(envelopeOf(pcm, frames), envelopeOf(decoded, frames));
    expect(similarity).toBeGreaterThan(0.8);
    const unrelated = correlation(envelopeOf(pcm, frames).toReversed(), envelopeOf(decoded, frames));
    expect(unrelated).toBeLessThan(similarity - 0.3);
  });
});
