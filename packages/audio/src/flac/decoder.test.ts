import { expect, it } from "vitest";
import { decodeHere } from "../decoding/decode-here.ts";
import { DEFAULT_DECODE_LIMITS } from "../decoder/limits.ts";
import { describeAudioDecoder, readFixture } from "../testing/describe-audio-decoder.ts";

describeAudioDecoder([
  { file: "flac-s16-stereo-44k.flac", format: "flac", sampleRateHz: 44_100, channels: 2, tolerance: 1e-4 },
  { file: "flac-s24-mono-16k.flac", format: "flac", sampleRateHz: 16_000, channels: 1, tolerance: 1e-6 },
  { file: "ogg-flac-s16-mono-22k.oga", format: "ogg-flac", sampleRateHz: 22_050, channels: 1, tolerance: 1e-4 },
]);

it("gives exactly the samples that WAV gives", async () => {
  const wav = await decodeHere(readFixture("wav-s24-mono-16k.wav"), DEFAULT_DECODE_LIMITS);
  const flac = await decodeHere(readFixture("flac-s24-mono-16k.flac"), DEFAULT_DECODE_LIMITS);
  expect(flac.samples).toEqual(wav.samples);
});

it("reads a file whose last frame the library does not see the end of, as ffmpeg writes many", async () => {
  const { samples } = await decodeHere(readFixture("flac-last-frame-mono-22k.flac"), DEFAULT_DECODE_LIMITS);
  expect(samples).toHaveLength(2 * 2304 + 2124);
});

it("refuses samples of 32 bits, which the library cannot read", async () => {
  const bytes = readFixture("flac-s24-mono-16k.flac").slice();
  // The sample size is the low bit of byte 20 and the four high bits of byte 21, less one.
  bytes[20] = (bytes[20] ?? 0) | 1;
  bytes[21] = (bytes[21] ?? 0) | 0xf0;
  await expect(decodeHere(bytes, DEFAULT_DECODE_LIMITS)).rejects.toMatchObject({
    message: "Cannot read the audio: its FLAC sample size is not supported (got 32 bits, limit 24)",
  });
});
