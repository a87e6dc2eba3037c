import { expect, it } from "vitest";
import { DEFAULT_DECODE_LIMITS } from "../decoder/limits.ts";
import { decodeHere } from "../decoding/decode-here.ts";
import { describeAudioEncoder, likenessDb, noise, tone } from "../testing/describe-audio-encoder.ts";
import { concat } from "../testing/made-files.ts";
import { mp3Encoder } from "./encoder.ts";
import { id3Bytes, readMp3FrameHeader } from "./frame-header.ts";

const decode = (file: Uint8Array) => decodeHere(file, DEFAULT_DECODE_LIMITS);

describeAudioEncoder(mp3Encoder, async (file) => {
  const { sampleRateHz, samples, channels } = await decode(file);
  return { sampleRateHz, sampleCount: samples.length, channels };
});

/** Places of the frames after the tag. */
function frameStarts(file: Uint8Array): number[] {
  const starts: number[] = [];
  for (let place = id3Bytes(file); place < file.length;) {
    starts.push(place);
    const header = readMp3FrameHeader(file, place);
    expect(header).not.toBeNull();
    place += header?.frameBytes ?? Infinity;
  }
  return starts;
}

it.each([
  [8_000, 32],
  [16_000, 48],
  [22_050, 64],
  [24_000, 64],
  [44_100, 96],
  [48_000, 96],
])("keeps the sound and the length at %i Hz, with %i kbit/s", async (sampleRateHz, kilobits) => {
  const pcm = tone(sampleRateHz * 2 + 77, sampleRateHz);
  const file = await mp3Encoder.encode(pcm, { sampleRateHz });
  const { samples } = await decode(file);
  expect(samples).toHaveLength(pcm.length);
  expect(likenessDb(pcm, samples)).toBeGreaterThan(30);
  const frameSeconds = (sampleRateHz >= 32_000 ? 1152 : 576) / sampleRateHz;
  const bytesPerSecond = file.length / (frameStarts(file).length * frameSeconds);
  expect(Math.abs((bytesPerSecond * 8) / 1000 / kilobits - 1)).toBeLessThan(0.01);
});

it("tells decoders in a frame of its own what to cut off, and counts frames and bytes right", async () => {
  const pcm = noise(24_000, 7);
  const file = await mp3Encoder.encode(pcm, { sampleRateHz: 24_000, tags: { title: "A title", encoder: "a program" } });
  const tagBytes = id3Bytes(file);
  expect(Buffer.from(file.subarray(0, tagBytes)).toString("latin1")).toMatch(/^ID3.*TIT2.*A title.*TSSE.*a program$/su);
  const [, ...audio] = frameStarts(file);
  const info = Buffer.from(file.subarray(tagBytes, tagBytes + 192));
  expect(info.toString("latin1", 13, 17)).toBe("Info");
  expect(info.readUInt32BE(21)).toBe(audio.length);
  expect(info.readUInt32BE(25)).toBe(file.length - tagBytes);
  expect(info.toString("latin1", 133, 137)).toBe("LAME");
  const delays = info.readUIntBE(154, 3);
  expect([delays >> 12, delays & 0xfff]).toEqual([576, audio.length * 576 - 576 - pcm.length]);
});

it("streams without the frame of a length that is not known, and with the same audio", async () => {
  const pcm = tone(24_000, 24_000);
  const stream = await mp3Encoder.openStream({ sampleRateHz: 24_000, purpose: "live" });
  const parts = [await stream.write(pcm.subarray(0, 960)), await stream.write(pcm.subarray(960))];
  expect(parts[0]?.length).toBeGreaterThan(0);
  const live = concat(...parts, (await stream.end()).tail);
  const file = await mp3Encoder.encode(pcm, { sampleRateHz: 24_000 });
  expect(live).toEqual(file.subarray(192));
});

it("gives the same file from an encoder that was used before, also if it was left in the middle", async () => {
  const pcm = noise(9_600, 3);
  const first = await mp3Encoder.encode(pcm, { sampleRateHz: 24_000 });
  const left = await mp3Encoder.openStream({ sampleRateHz: 48_000, purpose: "live" });
  await left.write(noise(5_000, 5));
  left.close();
  expect(await mp3Encoder.encode(pcm, { sampleRateHz: 24_000 })).toEqual(first);
});
