import { expect, it } from "vitest";
import { decodeHere } from "../decoding/decode-here.ts";
import { DEFAULT_DECODE_LIMITS } from "../decoding/limits.ts";
import { describeAudioDecoder, readFixture } from "../testing/describe-audio-decoder.ts";

const webm = { format: "webm", channels: 2 } as const;
const mp4 = { format: "mp4", channels: 2 } as const;

// WebM counts time in milliseconds, and its field for padding at the end is not read: a few milliseconds are kept.
describeAudioDecoder([
  { ...webm, file: "webm-opus-stereo.webm", sampleRateHz: 48_000, tolerance: 0.06, extraSamples: 168 },
  { ...webm, file: "webm-vorbis-stereo-44k.webm", sampleRateHz: 44_100, tolerance: 0.03, extraSamples: 105 },
  { ...mp4, file: "mp4-flac-stereo-44k.mp4", sampleRateHz: 44_100, tolerance: 1e-4 },
  { ...mp4, file: "mp4-opus-stereo.mp4", sampleRateHz: 48_000, tolerance: 0.06 },
  { ...mp4, file: "mov-s16-mono-22k.mov", sampleRateHz: 22_050, channels: 1, tolerance: 1e-4 },
]);

it("names a codec that it cannot read, and those that it can", async () => {
  await expect(decodeHere(readFixture("m4a-aac-mono-22k.m4a"), DEFAULT_DECODE_LIMITS)).rejects.toMatchObject({
    code: "REFERENCE_INVALID",
    message: expect.stringContaining("codec is not supported (got aac, supported Opus, Vorbis, FLAC, MP3, PCM)"),
  });
});
