import { expect, it } from "vitest";
import { describeAudioEncoder, noise } from "../testing/describe-audio-encoder.ts";
import { wavEncoder } from "../wav/encoder.ts";
import { pcmEncoder } from "./encoder.ts";

const RATE_HZ = 24_000;
const WAV_HEADER_BYTES = 44;

// The rate is not in the file; a reader is told.
describeAudioEncoder(pcmEncoder, (file) => ({
  sampleRateHz: RATE_HZ,
  sampleCount: file.byteLength / 2,
  channels: 1,
}));

it("writes little-endian samples of 16 bits, clipped at full scale", async () => {
  const pcm = Float32Array.of(0, 0.5, -0.5, 1, -1, 7, -7, 2 ** -15);
  const file = await pcmEncoder.encode(pcm, { sampleRateHz: RATE_HZ });
  expect([...file]).toEqual([0, 0, 0, 0x40, 0, 0xc0, 0xff, 0x7f, 0, 0x80, 0xff, 0x7f, 0, 0x80, 1, 0]);
});

it("is the WAV file without its header, and exactly as large as promised", async () => {
  const pcm = noise(4_801, 4);
  const file = await pcmEncoder.encode(pcm, { sampleRateHz: RATE_HZ });
  const wav = await wavEncoder.encode(pcm, { sampleRateHz: RATE_HZ });
  expect(file).toEqual(wav.slice(WAV_HEADER_BYTES));
  expect(file.byteLength).toBe(pcmEncoder.maxEncodedBytes(4_801, RATE_HZ));
});
