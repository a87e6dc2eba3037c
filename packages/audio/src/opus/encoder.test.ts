import { expect, it } from "vitest";
import { DEFAULT_DECODE_LIMITS } from "../decoder/limits.ts";
import { decodeHere } from "../decoding/decode-here.ts";
import { readOggLinks } from "../ogg/pages.ts";
import { resample } from "../resample/resample.ts";
import { describeAudioEncoder, likenessDb, noise, tone } from "../testing/describe-audio-encoder.ts";
import { concat } from "../testing/made-files.ts";
import { opusEncoder, webmEncoder } from "./encoder.ts";

const decode = (file: Uint8Array) => decodeHere(file, DEFAULT_DECODE_LIMITS);

describeAudioEncoder(
  opusEncoder,
  async (file) => {
    const { sampleRateHz, samples, channels } = await decode(file);
    return { sampleRateHz, sampleCount: samples.length, channels };
  },
  { decodedRateHz: 48_000 },
);

it.each([8_000, 16_000, 24_000, 48_000])("keeps the sound and the length of %i Hz", async (sampleRateHz) => {
  const pcm = tone(sampleRateHz + 77, sampleRateHz);
  const { samples } = await decode(await opusEncoder.encode(pcm, { sampleRateHz }));
  const expected = resample(pcm, sampleRateHz, 48_000);
  expect(samples).toHaveLength((pcm.length * 48_000) / sampleRateHz);
  expect(likenessDb(expected, samples)).toBeGreaterThan(15);
});

it("sends a page for each tenth of a second, with positions and tags that are right", async () => {
  const pcm = noise(24_000, 7, 0.3);
  const tags = { title: "A title", encoder: "a program" };
  const file = await opusEncoder.encode(pcm, { sampleRateHz: 24_000, tags });
  const [link] = readOggLinks(file);
  const [head, comment, ...audio] = link?.pages ?? [];
  const preSkip = Buffer.from(head?.payload ?? []).readUInt16LE(10);
  expect(preSkip).toBe(312);
  expect(Buffer.from(comment?.payload ?? []).toString("latin1")).toMatch(
    /^OpusTags.*TITLE=A title.*ENCODER=a program/su,
  );
  expect(audio.slice(0, 2).map(({ granule }) => granule)).toEqual([4_800, 9_600]);
  expect(audio.at(-1)?.granule).toBe(48_000 + preSkip);
  expect(audio.length).toBeGreaterThanOrEqual(10);
});

it("streams the same bytes as a file has", async () => {
  const pcm = noise(24_000, 7, 0.3);
  const stream = await opusEncoder.openStream({ sampleRateHz: 24_000, purpose: "live" });
  const live = concat(await stream.write(pcm), (await stream.end()).tail);
  expect(live).toEqual(await opusEncoder.encode(pcm, { sampleRateHz: 24_000 }));
});

it("streams WebM for browsers, packet by packet", async () => {
  const pcm = tone(48_000, 24_000);
  const stream = await webmEncoder.openStream({ sampleRateHz: 24_000, purpose: "live", tags: { title: "A title" } });
  const parts: Uint8Array[] = [];
  for (let start = 0; start < pcm.length; start += 960)
    parts.push(await stream.write(pcm.subarray(start, start + 960)));
  // 40 ms of audio in each; the library may be one part late.
  expect(parts.slice(2).every((part) => part.length > 100)).toBe(true);
  const { tail, head, sampleCount } = await stream.end();
  expect([head, sampleCount]).toEqual([null, 48_000]);
  const { samples, sampleRateHz, format } = await decode(concat(...parts, tail));
  expect([format, sampleRateHz]).toEqual(["webm", 48_000]);
  const extra = samples.length - 96_000;
  expect(extra).toBeGreaterThanOrEqual(0);
  expect(extra).toBeLessThan(960);
  expect(likenessDb(resample(pcm, 24_000, 48_000), samples)).toBeGreaterThan(15);
});
