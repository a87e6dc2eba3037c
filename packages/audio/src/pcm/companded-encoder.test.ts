import { expect, it } from "vitest";
import { describeAudioEncoder, noise } from "../testing/describe-audio-encoder.ts";
import { alawEncoder, ulawEncoder } from "./companded-encoder.ts";
import { compressionTable, expandALaw, expandMuLaw } from "./companding.ts";

for (const encoder of [ulawEncoder, alawEncoder]) {
  describeAudioEncoder(encoder, (file) => ({ sampleRateHz: 8_000, sampleCount: file.length, channels: 1 }), {
    inputRateHz: 8_000,
  });
}

it.each([
  ["µ-law", expandMuLaw],
  ["A-law", expandALaw],
])("%s: each sample becomes the code with the nearest value", (_name, expand) => {
  const table = compressionTable(expand);
  const values = Array.from({ length: 256 }, (_, code) => expand(code));
  const nearest = (sample: number) => Math.min(...values.map((value) => Math.abs(value - sample)));
  for (let sample = -(2 ** 15); sample < 2 ** 15; sample += 7) {
    const code = table[sample + 2 ** 15] ?? 0;
    expect(Math.abs((values[code] ?? 0) - sample)).toBe(nearest(sample));
  }
  // What was compressed once stays as it is; µ-law has a second zero.
  const kept = values.filter((value, code) => table[value + 2 ** 15] === code);
  expect(kept.length).toBe(expand === expandMuLaw ? 255 : 256);
});

it("writes the codes of the standard for silence and full scale", async () => {
  const pcm = Float32Array.of(0, 1, -1, 5, -5);
  expect([...(await ulawEncoder.encode(pcm, { sampleRateHz: 8_000 }))]).toEqual([0xff, 0x80, 0x00, 0x80, 0x00]);
  expect([...(await alawEncoder.encode(pcm, { sampleRateHz: 8_000 }))]).toEqual([0xd5, 0xaa, 0x2a, 0xaa, 0x2a]);
});

it("keeps a loud sound to 35 dB", async () => {
  const pcm = noise(8_000, 3, 0.5);
  const codes = await ulawEncoder.encode(pcm, { sampleRateHz: 8_000 });
  const error = pcm.reduce((sum, x, i) => sum + (x - expandMuLaw(codes[i] ?? 0) / 2 ** 15) ** 2, 0);
  const energy = pcm.reduce((sum, x) => sum + x ** 2, 0);
  expect(10 * Math.log10(energy / error)).toBeGreaterThan(35);
});
