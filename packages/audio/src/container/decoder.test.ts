import { expect, it } from "vitest";
import { decodeHere } from "../decoding/decode-here.ts";
import { DEFAULT_DECODE_LIMITS } from "../decoder/limits.ts";
import { describeAudioDecoder, readFixture } from "../testing/describe-audio-decoder.ts";

const webm = { format: "webm", channels: 2 } as const;
const mp4 = { format: "mp4", channels: 2 } as const;

/** AAC's first packet is the encoder's delay; where the container does not say so it is kept. */
const aac = { tolerance: 0.13, peakTolerance: 0.3, sampleRateHz: 44_100 } as const;
const wholeAac = { ...aac, delaySamples: 1_024, extraSamples: 1_577 } as const;

describeAudioDecoder([
  { ...webm, file: "webm-opus-stereo.webm", sampleRateHz: 48_000, tolerance: 0.06 },
  // Vorbis in WebM has no padding noted, and counts time in milliseconds.
  { ...webm, file: "webm-vorbis-stereo-44k.webm", sampleRateHz: 44_100, tolerance: 0.03, extraSamples: 105 },
  { ...webm, ...wholeAac, file: "mkv-aac-stereo-44k.mkv" },
  { ...webm, file: "mkv-alac-mono-16k.mkv", sampleRateHz: 16_000, channels: 1, tolerance: 1e-6 },
  { ...mp4, file: "mp4-flac-stereo-44k.mp4", sampleRateHz: 44_100, tolerance: 1e-4 },
  { ...mp4, file: "mp4-opus-stereo.mp4", sampleRateHz: 48_000, tolerance: 0.06 },
  { ...mp4, file: "mov-s16-mono-22k.mov", sampleRateHz: 22_050, channels: 1, tolerance: 1e-4 },
  { ...mp4, file: "m4a-aac-mono-22k.m4a", sampleRateHz: 22_050, channels: 1, tolerance: 0.1, peakTolerance: 0.1 },
  { ...mp4, ...aac, file: "mov-aac-stereo-44k.mov" },
  { ...mp4, ...wholeAac, file: "mp4-aac-fragmented-stereo-44k.mp4", noticesTruncation: false },
  { ...mp4, file: "m4a-alac-stereo-44k.m4a", sampleRateHz: 44_100, tolerance: 1e-4 },
  { ...mp4, file: "mov-s16be-stereo-16k.mov", sampleRateHz: 16_000, tolerance: 1e-4 },
  { ...mp4, file: "mov-s24be-stereo-16k.mov", sampleRateHz: 16_000, tolerance: 1e-6 },
  { ...mp4, file: "mp4-mp3-stereo-44k.mp4", sampleRateHz: 44_100, tolerance: 0.07 },
  { ...mp4, file: "mov-mp3-stereo-44k.mov", sampleRateHz: 44_100, tolerance: 0.07 },
  { ...wholeAac, file: "ts-aac-stereo-44k.mpegts", format: "mpeg-ts", channels: 2, noticesTruncation: false },
]);

it("plays only the part of a trimmed phone recording that its edit list names", async () => {
  const bytes = readFixture("m4a-aac-mono-22k.m4a").slice();
  const view = new DataView(bytes.buffer);
  const list = Buffer.from(bytes).indexOf("elst") + 4;
  // After version, flags and a count: the duration in 1/1000 s, and where it begins in samples.
  expect([view.getUint32(list + 8), view.getUint32(list + 12)]).toEqual([150, 1_024]);
  view.setUint32(list + 8, 100);
  view.setUint32(list + 12, 1_024 + 441);
  const whole = await decodeHere(readFixture("m4a-aac-mono-22k.m4a"), DEFAULT_DECODE_LIMITS);
  const trimmed = await decodeHere(bytes, DEFAULT_DECODE_LIMITS);
  expect(trimmed.samples).toEqual(whole.samples.subarray(441, 441 + 2_205));
});

it("names the unsupported codec, the supported ones, and the conversion command", async () => {
  const bytes = readFixture("m4a-alac-stereo-44k.m4a").slice();
  const place = Buffer.from(bytes).indexOf("alac");
  bytes.set(Buffer.from("samr"), place);
  await expect(decodeHere(bytes, DEFAULT_DECODE_LIMITS)).rejects.toMatchObject({
    code: "REFERENCE_INVALID",
    message:
      "Cannot read the audio: its audio codec is not supported (got AMR, supported AAC, ALAC, Opus, Vorbis, FLAC, MP3, PCM)." +
      " Convert it with: ffmpeg -i clip.mp4 -vn clip.wav",
  });
});

it("says that a track is encrypted and suggests no conversion", async () => {
  const bytes = readFixture("m4a-aac-mono-22k.m4a").slice();
  bytes.set(Buffer.from("drms"), Buffer.from(bytes).indexOf("mp4a"));
  await expect(decodeHere(bytes, DEFAULT_DECODE_LIMITS)).rejects.toMatchObject({
    message: expect.stringMatching(/\(got encrypted audio of the iTunes Store, supported [\w, ]+\)$/),
  });
});
