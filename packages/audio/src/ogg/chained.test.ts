import { expect, it } from "vitest";
import { decodeHere } from "../decoding/decode-here.ts";
import { DEFAULT_DECODE_LIMITS } from "../decoder/limits.ts";
import { readFixture } from "../testing/describe-audio-decoder.ts";
import { ascii, concat, makeOggPage } from "../testing/made-files.ts";

const decode = (bytes: Uint8Array) => decodeHere(bytes, DEFAULT_DECODE_LIMITS);

it.each([
  ["Opus", "ogg-opus-stereo.opus", "ogg-opus-stereo.opus"],
  ["Opus, mono and stereo", "ogg-opus-mono.opus", "ogg-opus-stereo.opus"],
  ["Opus, surround and mono", "ogg-opus-surround.opus", "ogg-opus-mono.opus"],
  ["Vorbis", "ogg-vorbis-mono-22k.ogg", "ogg-vorbis-mono-22k.ogg"],
  ["FLAC", "ogg-flac-s16-mono-22k.oga", "ogg-flac-s16-mono-22k.oga"],
])("gives all of a chained file, one part after the other: %s", async (_name, first, second) => {
  const parts = [await decode(readFixture(first)), await decode(readFixture(second))];
  const chained = await decode(concat(readFixture(first), readFixture(second)));
  const [a, b] = parts.map(({ samples }) => samples);
  expect(chained.samples).toEqual(Float32Array.of(...(a ?? []), ...(b ?? [])));
  expect(chained.channels).toBe(Math.max(...parts.map(({ channels }) => channels)));
});

it("refuses parts of different rates, which would need resampling", async () => {
  const chained = concat(readFixture("ogg-vorbis-mono-22k.ogg"), readFixture("ogg-vorbis-stereo-44k.ogg"));
  await expect(decode(chained)).rejects.toMatchObject({
    code: "REFERENCE_INVALID",
    message: "Cannot read the audio: its sample rate changes (got 44100 Hz after 22050 Hz)",
  });
});

it("holds the duration of all parts together to the limit", async () => {
  const part = readFixture("ogg-opus-mono.opus");
  await expect(
    decodeHere(concat(part, part), { ...DEFAULT_DECODE_LIMITS, maxDurationSeconds: 0.2 }),
  ).rejects.toMatchObject({
    message: "Cannot read the audio: it is too long (got more than 0 s, limit 0.2 s)",
  });
});

it("finds the sound of an Ogg video", async () => {
  const sound = readFixture("ogg-vorbis-mono-22k.ogg");
  const alone = await decode(sound);
  const video = await decode(concat(makeOggPage(ascii("\u0080theora\u0003\u0002\u0001"), 2, 99), sound));
  expect(video.samples).toEqual(alone.samples);
});
