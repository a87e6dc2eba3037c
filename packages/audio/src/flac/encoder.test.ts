import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { DEFAULT_DECODE_LIMITS } from "../decoder/limits.ts";
import { decodeHere } from "../decoding/decode-here.ts";
import { pcmEncoder } from "../pcm/encoder.ts";
import { describeAudioEncoder, noise } from "../testing/describe-audio-encoder.ts";
import { concat } from "../testing/made-files.ts";
import { wavEncoder } from "../wav/encoder.ts";
import { flacEncoder } from "./encoder.ts";
import { readFlacStreamInfo } from "./stream-info.ts";

const decode = (file: Uint8Array) => decodeHere(file, DEFAULT_DECODE_LIMITS);

describeAudioEncoder(flacEncoder, async (file) => {
  const { sampleRateHz, samples, channels } = await decode(file);
  return { sampleRateHz, sampleCount: samples.length, channels };
});

it.each([8_000, 16_000, 22_050, 24_000, 44_100, 48_000])(
  "has exactly the samples of WAV at %i Hz",
  async (sampleRateHz) => {
    const pcm = noise(10_001, 3);
    const flac = await decode(await flacEncoder.encode(pcm, { sampleRateHz }));
    const wav = await decode(await wavEncoder.encode(pcm, { sampleRateHz }));
    expect(flac).toMatchObject({ sampleRateHz, samples: wav.samples });
  },
);

it("says in a file how long it is, and the checksum of its samples", async () => {
  const pcm = noise(10_001, 3);
  const file = await flacEncoder.encode(pcm, {
    sampleRateHz: 24_000,
    tags: { title: "A title", encoder: "a program" },
  });
  const samples = await pcmEncoder.encode(pcm, { sampleRateHz: 24_000 });
  expect(readFlacStreamInfo(file, 0)).toEqual({ sampleRateHz: 24_000, channels: 1, bits: 16, totalSamples: 10_001 });
  expect(Buffer.from(file.subarray(26, 42)).toString("hex")).toBe(createHash("md5").update(samples).digest("hex"));
  const [least, most] = [Buffer.from(file).readUIntBE(12, 3), Buffer.from(file).readUIntBE(15, 3)];
  expect(least).toBeGreaterThan(0);
  expect(most).toBeGreaterThanOrEqual(least);
  expect(Buffer.from(file.subarray(0, 300)).toString("latin1")).toMatch(/TITLE=A title.*ENCODER=a program/su);
});

it("says in a stream that the length is not known, and has the same frames", async () => {
  const pcm = noise(20_000, 3);
  const stream = await flacEncoder.openStream({ sampleRateHz: 24_000, purpose: "live" });
  const live = concat(await stream.write(pcm), (await stream.end()).tail);
  const file = await flacEncoder.encode(pcm, { sampleRateHz: 24_000 });
  expect(readFlacStreamInfo(live, 0).totalSamples).toBe(0);
  expect(live.subarray(42)).toEqual(file.subarray(42));
  expect((await decode(live)).samples).toEqual((await decode(file)).samples);
});

it("has memory for many files at the same time", async () => {
  const streams = await Promise.all(
    Array.from({ length: 100 }, () => flacEncoder.openStream({ sampleRateHz: 24_000, purpose: "live" })),
  );
  const pcm = noise(5_000, 3);
  const sizes = await Promise.all(streams.map(async (stream) => (await stream.write(pcm)).length));
  expect(new Set(sizes).size).toBe(1);
  for (const stream of streams) stream.close();
});
