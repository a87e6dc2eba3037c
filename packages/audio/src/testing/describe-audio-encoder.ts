import { describe, expect, it } from "vitest";
import type { AudioEncoder } from "../audio-encoder.ts";

/** Deterministic noise, the same on every machine: a 32-bit linear congruential generator. */
export function noise(sampleCount: number, seed: number, amplitude = 1.25): Float32Array {
  const pcm = new Float32Array(sampleCount);
  let state = seed;
  for (let i = 0; i < sampleCount; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    pcm[i] = (state / 2 ** 32) * 2 * amplitude - amplitude;
  }
  return pcm;
}

/** What every encoder must do. `decode` reads a file back without using the encoder's code. */
export function describeAudioEncoder(
  encoder: AudioEncoder,
  decode: (file: Uint8Array) => {
    readonly sampleRateHz: number;
    readonly sampleCount: number;
    readonly channels: number;
  },
): void {
  describe(`AudioEncoder ${encoder.format}`, () => {
    it.each([1, 2, 959, 24_000])("keeps the length and the rate of %i samples", async (sampleCount) => {
      const file = await encoder.encode(noise(sampleCount, 3), { sampleRateHz: 24_000 });
      expect(decode(file)).toEqual({ sampleRateHz: 24_000, sampleCount, channels: 1 });
    });

    it("stays within the promised size", async () => {
      const file = await encoder.encode(noise(48_000, 5), { sampleRateHz: 24_000 });
      expect(file.byteLength).toBeLessThanOrEqual(encoder.maxEncodedBytes(48_000));
    });

    it("gives the same bytes for the same audio, and leaves the audio alone", async () => {
      const pcm = noise(4_800, 9);
      const before = pcm.slice();
      const first = await encoder.encode(pcm, { sampleRateHz: 24_000 });
      const second = await encoder.encode(pcm, { sampleRateHz: 24_000 });
      expect(second).toEqual(first);
      expect(pcm).toEqual(before);
    });

    it("can be warmed up, also twice", async () => {
      await expect(encoder.warmUp()).resolves.toBeUndefined();
      await expect(encoder.warmUp()).resolves.toBeUndefined();
    });

    it("refuses audio without samples", async () => {
      await expect(encoder.encode(new Float32Array(0), { sampleRateHz: 24_000 })).rejects.toMatchObject({
        code: "GENERATION_FAILED",
      });
    });
  });
}
