import { isHiggsError } from "@higgs-worker/base";
import type { Backend } from "@higgs-worker/ggml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listCodecTensors } from "../checkpoint/codec-tensors.ts";
import { CodecDecoder } from "./codec-decoder.ts";
import type { CodecStream } from "./codec-stream.ts";
import type { CodecSource } from "./codec-weights.ts";
import { DecoderModel } from "./decoder-model.ts";
import { RELEASED_CODEC_CONFIG } from "../checkpoint/released-config.ts";
import { randomCodec } from "./random-codec.ts";
import { concatenateSamples } from "@higgs-worker/base";
import { OracleCodec } from "./testing/oracle-codec.ts";
import { SMALL_CODEC_CONFIG, largestError, openCpuBackend, someCodes } from "./testing/small-codec.ts";

/** f32 against f64, and one order of additions against another; samples are about 1. */
const TOLERANCE = 2e-5;

let backend: Backend;
let decoder: CodecDecoder;
const source = randomCodec(SMALL_CODEC_CONFIG, { seed: 5 });
beforeAll(async () => {
  backend = openCpuBackend();
  backend.setThreads(1);
  decoder = await CodecDecoder.load(backend, source, { maxWindowFrames: 40 });
});
afterAll(() => {
  decoder[Symbol.dispose]();
  backend[Symbol.dispose]();
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isHiggsError(error)) return error.code;
    throw error;
  }
  return "no error";
}

async function streamInPieces(
  stream: CodecStream,
  codes: readonly Int32Array[],
  frames: number,
): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  const count = codes[0]?.length ?? 0;
  for (let at = 0; at < count; at += frames) {
    parts.push(await stream.push(codes.map((row) => row.slice(at, at + frames))));
  }
  return concatenateSamples([...parts, await stream.flush()]);
}

describe("CodecDecoder", () => {
  it("computes what the formulas say", async () => {
    const oracle = await OracleCodec.read(
      source,
      listCodecTensors(SMALL_CODEC_CONFIG).map(({ name }) => name),
    );
    for (const frames of [1, 6]) {
      const codes = someCodes(SMALL_CODEC_CONFIG, frames, frames);
      const pcm = await decoder.decode(codes);
      expect(pcm.length).toBe(frames * 960);
      expect(Math.max(...pcm.map(Math.abs))).toBeGreaterThan(0.1);
      expect(largestError(pcm, oracle.decode(codes))).toBeLessThan(TOLERANCE);
    }
  });

  it("tells rate, hop and memory from the checkpoint", () => {
    expect(decoder.sampleRateHz).toBe(24_000);
    expect(decoder.samplesPerFrame).toBe(960);
    expect(decoder.memory.weightBytes).toBeGreaterThan(1e5);
  });

  it("needs at most 11 frames of context at the released shape", async () => {
    // Kernels and strides are the released ones; they alone decide.
    const { left, right } = decoder.context;
    expect({ left, right }).toEqual({ left: 10, right: 10 });
  });

  it("decodes nothing to nothing", async () => {
    expect(await decoder.decode(someCodes(SMALL_CODEC_CONFIG, 0, 1))).toHaveLength(0);
    expect(await decoder.stream().flush()).toHaveLength(0);
  });

  it("decodes long audio in pieces, equal to one piece", async () => {
    using whole = await CodecDecoder.load(backend, source, { maxWindowFrames: 500 });
    for (const frames of [40, 41, 77, 150]) {
      const codes = someCodes(SMALL_CODEC_CONFIG, frames, frames);
      expect(largestError(await decoder.decode(codes), await whole.decode(codes))).toBeLessThan(TOLERANCE);
    }
  });

  it("streams what the whole decode gives, for any pieces", async () => {
    const codes = someCodes(SMALL_CODEC_CONFIG, 97, 2);
    const whole = await decoder.decode(codes);
    for (const [frames, windowFrames] of [
      [1, [22, 30]],
      [5, [24, 48, 72]],
      [97, [32]],
    ] as const) {
      const stream = decoder.stream({ windowFrames });
      const pcm = await streamInPieces(stream, codes, frames);
      expect(largestError(pcm, whole)).toBeLessThan(TOLERANCE);
      expect(stream.emittedFrames).toBe(97);
    }
  });

  it("gives audio as soon as a window is full", async () => {
    const codes = someCodes(SMALL_CODEC_CONFIG, 24, 3);
    const stream = decoder.stream({ windowFrames: [24] });
    expect(await stream.push(codes.map((row) => row.slice(0, 23)))).toHaveLength(0);
    const { length } = await stream.push(codes.map((row) => row.slice(23)));
    expect(Math.floor(length / 960)).toBe(24 - decoder.context.right);
  });

  it("keeps concurrent streams and decodes apart", async () => {
    const all = [4, 5, 6].map((seed) => someCodes(SMALL_CODEC_CONFIG, 60, seed));
    const expected = await Promise.all(all.map((codes) => decoder.decode(codes)));
    const streams = await Promise.all(all.map((codes) => streamInPieces(decoder.stream(), codes, 7)));
    for (const [index, pcm] of streams.entries()) {
      expect(largestError(pcm, expected[index] ?? [])).toBeLessThan(TOLERANCE);
    }
  });

  it("serves overlapping pushes in order", async () => {
    const codes = someCodes(SMALL_CODEC_CONFIG, 64, 8);
    const stream = decoder.stream({ windowFrames: [24, 32] });
    const pushes = [0, 16, 32, 48].map((at) => stream.push(codes.map((row) => row.slice(at, at + 16))));
    const parts = await Promise.all([...pushes, stream.flush()]);
    expect(largestError(concatenateSamples(parts), await decoder.decode(codes))).toBeLessThan(TOLERANCE);
  });

  it("computes off the main thread", async () => {
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    await decoder.decode(someCodes(SMALL_CODEC_CONFIG, 400, 1));
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(3);
  });

  it("stops between two pieces when it is cancelled", async () => {
    const codes = someCodes(SMALL_CODEC_CONFIG, 300, 1);
    const controller = new AbortController();
    const decoding = decoder.decode(codes, { signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    expect(await codeOf(decoding)).toBe("CANCELLED");
    const stream = decoder.stream();
    expect(await codeOf(stream.push(codes, { signal: AbortSignal.abort() }))).toBe("CANCELLED");
    expect(await codeOf(stream.flush())).toBe("INTERNAL");
  });

  it("refuses codes out of range, frames after the end, and use after disposal", async () => {
    const bad = someCodes(SMALL_CODEC_CONFIG, 3, 1);
    bad[1]?.fill(SMALL_CODEC_CONFIG.codebookSize, 2);
    expect(await codeOf(decoder.decode(bad))).toBe("INTERNAL");
    const stream = decoder.stream();
    await stream.flush();
    expect(await codeOf(stream.push(someCodes(SMALL_CODEC_CONFIG, 1, 1)))).toBe("INTERNAL");
    const other = await CodecDecoder.load(backend, source);
    const running = other.decode(someCodes(SMALL_CODEC_CONFIG, 20, 1));
    expect(() => other[Symbol.dispose]()).toThrow(/still running/);
    await running;
    other[Symbol.dispose]();
    other[Symbol.dispose]();
    expect(await codeOf(other.decode(someCodes(SMALL_CODEC_CONFIG, 1, 1)))).toBe("INTERNAL");
  });

  it("holds no more scratch memory than its windows need, for any number of decoded lengths", async () => {
    using model = await CodecDecoder.load(backend, source, { maxWindowFrames: 40 });
    await model.decode(someCodes(SMALL_CODEC_CONFIG, 40, 1));
    const limit = model.memory.scratchBytes;
    for (const frames of [3, 9, 21, 38, 40, 11]) await model.decode(someCodes(SMALL_CODEC_CONFIG, frames, 1));
    expect(model.memory.scratchBytes).toBeLessThanOrEqual(limit * 1.1);
  });

  it("frees what it has when loading fails", async () => {
    const broken: CodecSource = { ...source, readF32: () => Promise.reject(new Error("gone")) };
    await expect(CodecDecoder.load(backend, broken)).rejects.toThrow("gone");
    expect(await codeOf(CodecDecoder.load(backend, source, { signal: AbortSignal.abort() }))).toBe("CANCELLED");
  });
});

describe("the context", () => {
  it("covers all that one frame can change", async () => {
    const frames = 40;
    const changed = 20;
    const codes = someCodes(SMALL_CODEC_CONFIG, frames, 1);
    const before = await decoder.decode(codes);
    const other = someCodes(SMALL_CODEC_CONFIG, frames, 2);
    for (const [k, row] of codes.entries()) row.set(other[k]?.subarray(changed, changed + 1) ?? [], changed);
    const after = await decoder.decode(codes);
    const touched = Array.from(before, (value, i) => (value === after[i] ? -1 : Math.floor(i / 960))).filter(
      (f) => f >= 0,
    );
    // Frame f sees frames f − left … f + right.
    expect(Math.min(...touched)).toBeGreaterThanOrEqual(changed - decoder.context.right);
    expect(Math.max(...touched)).toBeLessThanOrEqual(changed + decoder.context.left);
    expect(Math.max(...touched)).toBe(changed + decoder.context.left);
  });

  it("follows from kernels and strides, not from a constant", async () => {
    const config = { ...SMALL_CODEC_CONFIG, decoderRatios: [2, 2], encoderRatios: [2, 2], hopLength: 4 };
    using model = await DecoderModel.load(backend, randomCodec(config, { seed: 1 }));
    const released = await DecoderModel.load(
      backend,
      randomCodec({ ...RELEASED_CODEC_CONFIG, decoderHiddenSize: 32 }, { seed: 1 }),
    );
    expect(model.context.left).toBeGreaterThan(released.context.left);
    expect(Math.max(released.context.left, released.context.right)).toBeLessThanOrEqual(11);
    released[Symbol.dispose]();
  });
});
