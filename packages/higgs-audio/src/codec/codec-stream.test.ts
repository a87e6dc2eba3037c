import { concatenateSamples } from "@higgs-worker/base";
import type { Backend } from "@higgs-worker/ggml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CodecDecoder } from "./codec-decoder.ts";
import { CodecStream, type WindowDecoder, type WindowSizes } from "./codec-stream.ts";
import { DeadlineQueue } from "./deadline-queue.ts";
import { DecoderModel } from "./decoder-model.ts";
import { randomCodec } from "./random-codec.ts";
import { largestError, openCpuBackend, SMALL_CODEC_CONFIG, someCodes } from "./testing/small-codec.ts";
import { type DecodeWindow, OverlappingWindowPlan } from "./window-plan.ts";

const FRAMES = 97;
const TOLERANCE = 2e-5;

let backend: Backend;
let decoder: CodecDecoder;
const source = randomCodec(SMALL_CODEC_CONFIG, { seed: 5 });
const codes = someCodes(SMALL_CODEC_CONFIG, FRAMES, 2);
beforeAll(async () => {
  backend = openCpuBackend();
  backend.setThreads(1);
  decoder = await CodecDecoder.load(backend, source, { maxWindowFrames: 200 });
});
afterAll(() => {
  decoder[Symbol.dispose]();
  backend[Symbol.dispose]();
});

function piece(from: number, to: number): Int32Array[] {
  return codes.map((row) => row.slice(from, to));
}

describe("a stream on a CPU", () => {
  it.each([[[11, 2]], [[12, 4, 8]], [[24, 73]], [[32, 64, 1]]])(
    "gives what the whole decode gives, in windows of %j frames",
    async (windowFrames) => {
      const stream = decoder.stream({ windowFrames });
      const parts: Float32Array[] = [];
      for (let at = 0; at < FRAMES; at++) parts.push(await stream.push(piece(at, at + 1)));
      parts.push(await stream.flush());
      expect(largestError(concatenateSamples(parts), await decoder.decode(codes))).toBeLessThan(TOLERANCE);
      expect(stream.emittedFrames).toBe(FRAMES);
    },
  );

  it("takes what came while it waited for its turn, in one window", async () => {
    const playback = decoder.openPlayback();
    const stream = decoder.stream({ playback });
    stream.add(piece(0, 12));
    const first = stream.decodeDue();
    for (let at = 12; at < 30; at++) {
      stream.add(piece(at, at + 1));
      expect(stream.decodeDue()).toBeNull();
    }
    // 20 of them, less those that the last samples wait for.
    expect(Math.floor(((await first)?.length ?? 0) / 960)).toBe(20 - decoder.context.right);
    playback.end();
  });

  it("decodes first what is due first", async () => {
    const order: string[] = [];
    const open = async (name: string, seconds: number): Promise<void> => {
      const playback = decoder.openPlayback();
      playback.give(seconds);
      const stream = decoder.stream({ playback });
      stream.add(piece(0, 60));
      await stream.decodeDue();
      order.push(name);
      playback.end();
    };
    await Promise.all([open("has much", 9), open("has little", 0.1), open("has some", 1)]);
    expect(order).toEqual(["has little", "has some", "has much"]);
  });

  it("gives nothing more when it is dropped", async () => {
    const stream = decoder.stream();
    stream.add(piece(0, 40));
    const running = stream.decodeDue();
    stream.drop();
    expect(await running).toHaveLength(0);
    stream.add(piece(40, 90));
    expect(stream.decodeDue()).toBeNull();
    expect(await stream.flush()).toHaveLength(0);
  });
});

describe("a stream on a device that keeps nothing between windows", () => {
  it.each([22, 24, 48, 200])("gives what the whole decode gives, in windows of %i frames", async (windowFrames) => {
    using model = await DecoderModel.load(backend, source);
    const windows = new OverlappingWindowPlan(model.context);
    const queue = new DeadlineQueue();
    const device: WindowDecoder = {
      shape: model,
      samplesPerFrame: model.samplesPerFrame,
      sampleRateHz: model.sampleRateHz,
      windows,
      inTurn: (deadlineMs, work) => queue.run(deadlineMs, work),
      decodeWindow: async (rows, { place }: DecodeWindow) => {
        expect(place).toEqual({ isFirst: true, isLast: true });
        const input = { rows, frames: rows.length / model.quantizerCount };
        return { pcm: decodeAlone(model, input), carried: null };
      },
    };
    const newFrames = ({ takenFrames }: { takenFrames: number }): number =>
      windows.newFrames(windowFrames, takenFrames);
    const sizes: WindowSizes = {
      awaitsNextFrame: false,
      next: (state) => (state.waitingFrames >= newFrames(state) ? newFrames(state) : 0),
      nextAtEnd: newFrames,
    };
    const stream = new CodecStream(device, sizes, { deadlineMs: 0 });
    const parts: Float32Array[] = [];
    for (let at = 0; at < FRAMES; at += 3) parts.push(await stream.push(piece(at, at + 3)));
    parts.push(await stream.flush());
    expect(largestError(concatenateSamples(parts), await decoder.decode(codes))).toBeLessThan(TOLERANCE);
    expect(stream.emittedFrames).toBe(FRAMES);
  });
});

function decodeAlone(model: DecoderModel, { rows, frames }: { rows: Int32Array; frames: number }): Float32Array {
  using graph = model.newGraph(frames);
  const input = graph.input("rows", "i32", rows.length);
  const pcm = graph.output(model.build(graph, input), "pcm");
  graph.allocate(backend);
  input.set(rows);
  backend.compute(graph);
  return pcm.toFloat32();
}
