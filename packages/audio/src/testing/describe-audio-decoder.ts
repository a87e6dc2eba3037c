import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isHiggsError } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import type { DecodedAudio, SourceFormat } from "../decoder/audio-decoder.ts";
import { decodeHere } from "../decoding/decode-here.ts";
import { DEFAULT_DECODE_LIMITS, type DecodeLimits } from "../decoder/limits.ts";
import { sniffAudio } from "../decoding/sniff-audio.ts";
import { noise } from "./describe-audio-encoder.ts";

/** What is known of a fixture from the way it was made (test/fixtures/README.md). */
export interface DecoderFixture {
  readonly file: string;
  readonly format: SourceFormat;
  readonly sampleRateHz: number;
  readonly channels: number;
  /** Largest RMS of the difference to the tones, as a share of their RMS. */
  readonly tolerance: number;
  /** Samples by which the decoded audio is longer than 0.15 s; 0 where the format tells its exact length. */
  readonly extraSamples?: number;
  /** Samples before the tones begin, in files that do not say how many their encoder put there. */
  readonly delaySamples?: number;
  /** How far the peaks may differ from the tones': their sudden start overshoots in some codecs. */
  readonly peakTolerance?: number;
  /** The channel of the second tone; 1 by default. Opus and Vorbis put the center before the right. */
  readonly rightChannel?: number;
  /** False when a file cut anywhere is still a valid file of that format. */
  readonly noticesTruncation?: boolean;
}

const FIXTURE_SECONDS = 0.15;

export function readFixture(file: string): Uint8Array {
  return new Uint8Array(readFileSync(join(import.meta.dirname, "../../test/fixtures", file)));
}

/** The mean of the channels: 440 Hz in the first, 660 Hz in the second, silence in others. */
function expectedMono({ sampleRateHz, channels }: DecoderFixture, sampleCount: number): Float32Array {
  return Float32Array.from({ length: sampleCount }, (_, i) => {
    const t = (2 * Math.PI * i) / sampleRateHz;
    return (0.5 * Math.sin(440 * t) + (channels > 1 ? 0.25 * Math.sin(660 * t) : 0)) / channels;
  });
}

function relativeError(actual: Float32Array, expected: Float32Array): number {
  let error = 0;
  let energy = 0;
  expected.forEach((x, i) => {
    error += ((actual[i] ?? 0) - x) ** 2;
    energy += x * x;
  });
  return Math.sqrt(error / energy);
}

/** The decoded audio, or the message of the only error that is allowed. */
async function decodeOrRefuse(bytes: Uint8Array, limits: Partial<DecodeLimits> = {}): Promise<DecodedAudio | string> {
  try {
    return await decodeHere(bytes, { ...DEFAULT_DECODE_LIMITS, ...limits });
  } catch (error) {
    if (!isHiggsError(error) || error.code !== "REFERENCE_INVALID") throw error;
    return error.message;
  }
}

/** What every decoder must do. */
export function describeAudioDecoder(fixtures: readonly DecoderFixture[]): void {
  describe.each(fixtures)("AudioDecoder: $file", (fixture) => {
    const bytes = readFixture(fixture.file);
    const { sampleRateHz, channels, format } = fixture;

    it("decodes to the tones it was made of, in their length", async () => {
      const untouched = bytes.slice();
      const audio = await decodeHere(bytes, DEFAULT_DECODE_LIMITS);
      const sampleCount = Math.round(FIXTURE_SECONDS * sampleRateHz);
      expect(sniffAudio(bytes)).toEqual({ format });
      expect(audio).toMatchObject({ format, sampleRateHz, channels });
      expect(audio.samples.length - sampleCount).toBe(fixture.extraSamples ?? 0);
      expect(audio.durationSeconds).toBe(audio.samples.length / sampleRateHz);
      const tones = audio.samples.subarray(fixture.delaySamples);
      expect(relativeError(tones, expectedMono(fixture, sampleCount))).toBeLessThan(fixture.tolerance);
      expect(bytes).toEqual(untouched);
    });

    it("measures the channels one by one", async () => {
      const audio = await decodeHere(bytes, DEFAULT_DECODE_LIMITS);
      expect(audio.channelPeaks).toHaveLength(channels);
      audio.channelPeaks.forEach((peak, i) => {
        const expected = i === 0 ? 0.5 : i === (fixture.rightChannel ?? 1) ? 0.25 : 0;
        expect(Math.abs(peak - expected)).toBeLessThan(fixture.peakTolerance ?? 0.05);
      });
      expect(audio.channelDifference > 0.4).toBe(channels > 1);
      expect(audio.channelDifference === 0).toBe(channels === 1);
    });

    it("gives the same samples each time, also from a part of a larger buffer", async () => {
      const embedded = new Uint8Array(bytes.length + 20).fill(0xff);
      embedded.set(bytes, 7);
      const again = await decodeHere(embedded.subarray(7, 7 + bytes.length), DEFAULT_DECODE_LIMITS);
      expect(again).toEqual(await decodeHere(bytes, DEFAULT_DECODE_LIMITS));
    });

    it("stops at the longest duration", async () => {
      const result = await decodeOrRefuse(bytes, { maxDurationSeconds: 0.1 });
      expect(result).toMatch(/too long \(got more than 0 s, limit 0.1 s\)/);
    });

    it("refuses a file that is cut off, or gives only what is there", async () => {
      const whole = await decodeHere(bytes, DEFAULT_DECODE_LIMITS);
      const parts = Array.from({ length: 14 }, (_, i) => Math.floor((bytes.length * (1 + i * 7)) / 100));
      const results = await Promise.all(parts.map((length) => decodeOrRefuse(bytes.subarray(0, length))));
      const lengths = results.flatMap((result) => (typeof result === "string" ? [] : [result.samples.length]));
      expect(lengths.filter((length) => length > whole.samples.length)).toEqual([]);
      expect(lengths.length > 0).toBe(fixture.noticesTruncation === false);
    });

    it("refuses damaged bytes, or gives finite samples", async () => {
      for (let seed = 1; seed <= 24; seed++) {
        const damaged = bytes.slice();
        noise(8, seed, 1).forEach((x, i) => {
          // Half of the damage is in the headers.
          const reach = i % 2 === 0 ? Math.min(200, damaged.length) : damaged.length;
          damaged[Math.floor(((x + 1) / 2) * reach) % damaged.length] = (seed * 37 + i * 101) & 0xff;
        });
        const result = await decodeOrRefuse(damaged, { maxDurationSeconds: 30 });
        expect(typeof result === "string" || result.samples.every(Number.isFinite)).toBe(true);
      }
    });
  });
}
