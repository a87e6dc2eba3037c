import { describe, expect, it } from "vitest";
import type { AudioEncoder, AudioEncoderStream } from "../audio-encoder.ts";
import { joinBytes } from "../join-bytes.ts";

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

interface EncoderRates {
  /** Of the samples that the encoder gets. */
  readonly inputRateHz?: number;
  /** Of those that a decoder gives, if it is another one. */
  readonly decodedRateHz?: number;
}

interface DecodedFacts {
  readonly sampleRateHz: number;
  readonly sampleCount: number;
  readonly channels: number;
}

/** What each slice of `pcm` gave. */
async function writeSlices(stream: AudioEncoderStream, pcm: Float32Array, step: number): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for (let start = 0; start < pcm.length; start += step) {
    parts.push(await stream.write(pcm.subarray(start, start + step)));
  }
  return parts;
}

/** A tone, which every codec keeps well enough to be compared. */
export function tone(sampleCount: number, sampleRateHz: number, frequencyHz = 440, amplitude = 0.5): Float32Array {
  const step = (2 * Math.PI * frequencyHz) / sampleRateHz;
  return Float32Array.from({ length: sampleCount }, (_, i) => amplitude * Math.sin(step * i));
}

/** Signal to noise of `decoded` against `pcm`, in dB. */
export function likenessDb(pcm: Float32Array, decoded: Float32Array): number {
  let signal = 0;
  let rest = 0;
  for (const [i, sample] of pcm.entries()) {
    signal += sample ** 2;
    rest += (sample - (decoded[i] ?? 0)) ** 2;
  }
  return 10 * Math.log10(signal / (rest + Number.MIN_VALUE));
}

/** What every encoder must do. `decode` reads a file back without using the encoder's code. */
export function describeAudioEncoder(
  encoder: AudioEncoder,
  decode: (file: Uint8Array) => DecodedFacts | Promise<DecodedFacts>,
  { inputRateHz = 24_000, decodedRateHz = inputRateHz }: EncoderRates = {},
): void {
  const options = { sampleRateHz: inputRateHz };
  describe(`AudioEncoder ${encoder.format}`, () => {
    it.each([1, 2, 959, 24_000])("keeps the length and the rate of %i samples", async (sampleCount) => {
      const file = await encoder.encode(noise(sampleCount, 3), options);
      expect(await decode(file)).toEqual({
        sampleRateHz: decodedRateHz,
        sampleCount: (sampleCount * decodedRateHz) / inputRateHz,
        channels: 1,
      });
    });

    it("stays within the promised sizes", async () => {
      const file = await encoder.encode(noise(48_000, 5), options);
      expect(file.byteLength).toBeLessThanOrEqual(encoder.maxEncodedBytes(48_000, inputRateHz));
      const tags = { title: "t".repeat(100), encoder: "e".repeat(100) };
      const tagged = await encoder.encode(noise(48_000, 5), { ...options, tags });
      expect(tagged.byteLength).toBeLessThanOrEqual(encoder.maxEncodedBytes(48_000, inputRateHz));
      const silence = await encoder.encode(new Float32Array(48_000), options);
      expect(silence.byteLength).toBeGreaterThanOrEqual(encoder.minEncodedBytes(48_000, inputRateHz));
    });

    it("gives the same bytes for the same audio, and leaves the audio alone", async () => {
      const pcm = noise(4_800, 9);
      const before = pcm.slice();
      const first = await encoder.encode(pcm, options);
      const second = await encoder.encode(pcm, options);
      expect(second).toEqual(first);
      expect(pcm).toEqual(before);
    });

    it.each([1, 7, 960, 4_801])("writes the same file while the audio arrives, %i samples at a time", async (step) => {
      const pcm = noise(9_600, 11);
      const stream = await encoder.openStream({ ...options, purpose: "file" });
      const parts = await writeSlices(stream, pcm, step);
      const { tail, head, sampleCount } = await stream.end();
      const file = joinBytes([...parts, tail]);
      if (head !== null) file.set(head);
      expect(file).toEqual(await encoder.encode(pcm, options));
      expect(sampleCount).toBe(pcm.length);
    });

    it("begins a live stream early, and leaves its front as it was sent", async () => {
      const stream = await encoder.openStream({ ...options, purpose: "live" });
      const parts = await writeSlices(stream, noise(48_000, 13), 960);
      const first = parts.findIndex((part) => part.length > 0);
      expect(first).toBeLessThan(10);
      expect((await stream.end()).head).toBeNull();
    });

    it("does not keep the samples it was given", async () => {
      const pcm = noise(4_800, 17);
      const expected = await encoder.encode(pcm, options);
      const stream = await encoder.openStream({ ...options, purpose: "file" });
      const reused = new Float32Array(480);
      const parts: Uint8Array[] = [];
      for (let start = 0; start < pcm.length; start += reused.length) {
        reused.set(pcm.subarray(start, start + reused.length));
        const written = stream.write(reused);
        parts.push(await written);
        reused.fill(0.5);
      }
      const { tail, head } = await stream.end();
      const file = joinBytes([...parts, tail]);
      if (head !== null) file.set(head);
      expect(file).toEqual(expected);
    });

    it("can be left in the middle, twice, and after the end", async () => {
      const left = await encoder.openStream({ ...options, purpose: "live" });
      await left.write(noise(1_000, 19));
      left.close();
      left.close();
      const ended = await encoder.openStream({ ...options, purpose: "live" });
      await ended.write(noise(1_000, 19));
      await ended.end();
      expect(() => ended.close()).not.toThrow();
    });

    it("keeps several files apart that are written at the same time", async () => {
      const inputs = [noise(9_600, 23), noise(7_200, 29), noise(4_801, 31)];
      const files = await Promise.all(inputs.map((pcm) => encoder.encode(pcm, options)));
      for (const [i, pcm] of inputs.entries()) {
        expect(files[i]).toEqual(await encoder.encode(pcm, options));
      }
    });

    it("can be warmed up, also twice", async () => {
      await expect(encoder.warmUp()).resolves.toBeUndefined();
      await expect(encoder.warmUp()).resolves.toBeUndefined();
    });

    it("refuses audio without samples", async () => {
      await expect(encoder.encode(new Float32Array(0), options)).rejects.toMatchObject({
        code: "GENERATION_FAILED",
      });
      const live = await encoder.openStream({ ...options, purpose: "live" });
      await live.write(new Float32Array(0));
      await expect(live.end()).rejects.toMatchObject({ code: "GENERATION_FAILED" });
    });
  });
}
