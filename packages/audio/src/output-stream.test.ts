import { concatenateSamples } from "@higgs-worker/base";
import { expect, it } from "vitest";
import { DEFAULT_DECODE_LIMITS } from "./decoder/limits.ts";
import { decodeHere } from "./decoding/decode-here.ts";
import { integratedLoudness } from "./loudness/loudness.ts";
import { openOutputPcm, openOutputStream, outputSampleRate, type OutputOptions } from "./output-stream.ts";
import { noise, tone } from "./testing/describe-audio-encoder.ts";
import { concat } from "./testing/made-files.ts";

const RATE_HZ = 24_000;

const options = (fields: Partial<OutputOptions>): OutputOptions => ({
  format: "wav",
  inputRateHz: RATE_HZ,
  sampleRateHz: null,
  ...fields,
});

/** A file whose samples come `step` at a time. */
async function encoded(pcm: Float32Array, wanted: OutputOptions, step = pcm.length) {
  const stream = await openOutputStream({ ...wanted, purpose: "file" });
  const parts: Uint8Array[] = [];
  for (let start = 0; start < pcm.length; start += step) {
    parts.push(await stream.write(pcm.subarray(start, start + step)));
  }
  const { tail, head, sampleCount, loudnessLufs } = await stream.end();
  const bytes = concat(...parts, tail);
  if (head !== null) bytes.set(head);
  return { bytes, sampleCount, loudnessLufs, sampleRateHz: outputSampleRate(wanted) };
}

it.each([
  { format: "wav", sampleRateHz: 44_100, speed: 1.3 },
  { format: "mp3", sampleRateHz: 16_000, speed: 0.7 },
  { format: "flac", sampleRateHz: 48_000, speed: 1 },
  { format: "opus", sampleRateHz: 48_000, speed: 2 },
  { format: "ulaw", sampleRateHz: null, speed: 0.5 },
] as const)("$format at $sampleRateHz Hz and speed $speed is the same file in parts and whole", async (fields) => {
  const pcm = noise(12_345, 3, 0.4);
  const whole = await encoded(pcm, options(fields));
  expect(await encoded(pcm, options(fields), 777)).toEqual(whole);
  const exact = Math.round(12_345 / fields.speed) * (whole.sampleRateHz / RATE_HZ);
  expect(Math.abs(whole.sampleCount - exact)).toBeLessThanOrEqual(1);
});

it.each([
  { speed: 1, sampleRateHz: null, slackSeconds: 0 },
  { speed: 1, sampleRateHz: 48_000, slackSeconds: 0.01 },
  { speed: 2, sampleRateHz: null, slackSeconds: 0.05 },
  { speed: 2, sampleRateHz: 16_000, slackSeconds: 0.05 },
  { speed: 0.5, sampleRateHz: null, slackSeconds: 0.05 },
  { speed: 1.3, sampleRateHz: 44_100, slackSeconds: 0.05 },
])(
  "silence made longer for speed $speed lasts as it should, at $sampleRateHz Hz",
  ({ speed, sampleRateHz, slackSeconds }) => {
    const silence = new Float32Array(Math.round(1.5 * speed * RATE_HZ));
    const sound = tone(RATE_HZ, RATE_HZ, 200).map((sample) => sample + 0.1);
    const output = openOutputPcm(options({ speed, sampleRateHz }));
    const pcm = concatenateSamples([output.write(sound), output.write(silence), output.write(sound), output.end()]);
    // Beside the filters' reach it is digital silence, where it belongs.
    const isSound = (sample: number) => Math.abs(sample) > 1e-6;
    const middle = Math.round(((RATE_HZ + silence.length / 2) / speed / RATE_HZ) * output.sampleRateHz);
    const start = pcm.subarray(0, middle).findLastIndex(isSound) + 1;
    const end = middle + pcm.subarray(middle).findIndex(isSound);
    expect(Math.abs((end - start) / output.sampleRateHz - 1.5)).toBeLessThanOrEqual(slackSeconds);
    expect(Math.abs(start / output.sampleRateHz - 1 / speed)).toBeLessThanOrEqual(slackSeconds);
  },
);

it("chooses the rate of telephones, and otherwise that of the speech", async () => {
  const pcm = tone(4_800, RATE_HZ);
  expect((await encoded(pcm, options({ format: "alaw" }))).sampleRateHz).toBe(8_000);
  expect((await encoded(pcm, options({ format: "opus" }))).sampleRateHz).toBe(24_000);
  await expect(encoded(pcm, options({ format: "opus", sampleRateHz: 22_050 }))).rejects.toMatchObject({
    code: "INVALID_INPUT",
  });
});

it.each([
  ["wav", 8_000, 1],
  ["flac", 24_000, 1.5],
  ["mp3", 44_100, 1],
] as const)("brings %s at %i Hz and speed %d to the wanted loudness", async (format, sampleRateHz, speed) => {
  const pcm = tone(RATE_HZ * 3, RATE_HZ, 700, 0.05);
  const file = await encoded(pcm, options({ format, sampleRateHz, speed, loudnessLufs: -18 }));
  expect(file.loudnessLufs).toBeCloseTo(-18, 3);
  expect(await encoded(pcm, options({ format, sampleRateHz, speed, loudnessLufs: -18 }), 960)).toEqual(file);
  const { samples } = await decodeHere(file.bytes, DEFAULT_DECODE_LIMITS);
  expect(Math.abs((integratedLoudness(samples, sampleRateHz) ?? 0) + 18)).toBeLessThan(0.2);
});
