import path from "node:path";
import { describe, expect, it } from "vitest";
import { openCodec } from "../checkpoint/open-checkpoint.ts";
import { CodecDecoder } from "./codec-decoder.ts";
import { concatenateSamples } from "@higgs-worker/base";
import { largestError, openCpuBackend, someCodes } from "./testing/small-codec.ts";

const DEMO_CODEC = path.resolve(import.meta.dirname, "../../../../demo-checkpoint/checkpoint/codec");

describe("the codec of the demo checkpoint", () => {
  it("decodes codes to audio in the range of speech, whole and streamed bit for bit alike", async () => {
    await using source = await openCodec(DEMO_CODEC);
    using backend = openCpuBackend();
    backend.setThreads(1);
    using decoder = await CodecDecoder.load(backend, source);
    expect(decoder.sampleRateHz).toBe(24_000);
    const codes = someCodes(source.config, 50, 1);
    const pcm = await decoder.decode(codes);
    expect(pcm).toHaveLength(50 * 960);
    const power = pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length;
    const mean = pcm.reduce((sum, sample) => sum + sample, 0) / pcm.length;
    const peak = pcm.reduce((largest, sample) => Math.max(largest, Math.abs(sample)), 0);
    expect(Math.sqrt(power)).toBeGreaterThan(0.005);
    expect(peak).toBeLessThan(1.5);
    expect(Math.abs(mean)).toBeLessThan(0.02);
    for (const windowFrames of [undefined, [12, 4], [11, 37, 2], [49]]) {
      const stream = decoder.stream({ windowFrames });
      const parts = [await stream.push(codes), await stream.flush()];
      // Rows of channels that are multiples of 16 are added up in one order, however many there are.
      expect(largestError(concatenateSamples(parts), pcm)).toBe(0);
    }
  });
});
