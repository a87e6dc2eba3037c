import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { describeAudioEncoder, noise } from "../testing/describe-audio-encoder.ts";
import { DEFAULT_DECODE_LIMITS } from "../decoder/limits.ts";
import { decodeHere } from "../decoding/decode-here.ts";
import { concat } from "../testing/made-files.ts";
import { wavEncoder } from "./encoder.ts";

function readWav(file: Uint8Array) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const text = (offset: number, length: number) =>
    String.fromCodePoint(...Array.from({ length }, (_, i) => view.getUint8(offset + i)));
  expect([text(0, 4), text(8, 8), text(36, 4)]).toEqual(["RIFF", "WAVEfmt ", "data"]);
  expect(view.getUint32(4, true)).toBe(file.byteLength - 8);
  expect([view.getUint16(20, true), view.getUint16(34, true)]).toEqual([1, 16]);
  return {
    sampleRateHz: view.getUint32(24, true),
    sampleCount: view.getUint32(40, true) / 2,
    channels: view.getUint16(22, true),
  };
}

describeAudioEncoder(wavEncoder, readWav);

// Hashes of the files that Python's soundfile 0.13 (libsndfile 1.2.2) writes for the same floats as PCM_16.
it.each([
  [
    "loud noise, an eighth of it clipped",
    noise(100_000, 1),
    "dd69b60ca8a4c3824ebc445941cee8ec5d73b4130bf0a978a061562094788f85",
  ],
  [
    "noise of one or two steps",
    noise(100_000, 7).map((x) => x * 2 ** -14),
    "0cf347ef3830477e1f91a4e101fa789a9cb56bb5c80342d520b170102b473a9a",
  ],
])("writes the same file as libsndfile: %s", async (_name, pcm, sha256) => {
  const file = await wavEncoder.encode(pcm, { sampleRateHz: 24_000 });
  expect(createHash("sha256").update(file).digest("hex")).toBe(sha256);
});

it("says that the sizes of a live stream are unknown, in the way that every reader goes on after", async () => {
  const stream = await wavEncoder.openStream({ sampleRateHz: 24_000, purpose: "live" });
  const pcm = noise(4_800, 1);
  const front = await stream.write(pcm.subarray(0, 480));
  const view = new DataView(front.buffer, front.byteOffset);
  expect([view.getUint32(4, true), view.getUint32(40, true)]).toEqual([2 ** 32 - 1, 2 ** 32 - 1]);
  const rest = await stream.write(pcm.subarray(480));
  const whole = await wavEncoder.encode(pcm, { sampleRateHz: 24_000 });
  expect(concat(front, rest).subarray(44)).toEqual(whole.subarray(44));
  const decoded = await decodeHere(concat(front, rest), DEFAULT_DECODE_LIMITS);
  expect(decoded).toMatchObject({ sampleRateHz: 24_000, missingBytes: 0 });
  expect(decoded.samples).toHaveLength(4_800);
});
