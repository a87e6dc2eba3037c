import { describe, expect, it } from "vitest";
import { tone } from "../testing/describe-audio-encoder.ts";
import { TimeStretch } from "./time-stretch.ts";

const RATE_HZ = 24_000;
const SPEEDS = [0.25, 0.5, 0.8, 1, 1.25, 2, 4];

function stretched(pcm: Float32Array, speed: number, step = pcm.length): Float32Array {
  const stretch = new TimeStretch(speed);
  const parts: Float32Array[] = [];
  for (let start = 0; start < pcm.length; start += step) parts.push(stretch.write(pcm.subarray(start, start + step)));
  parts.push(stretch.end());
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** A voice without words: harmonics of a pitch that moves a little, in syllables of 0.2 s. */
function voice(seconds: number, pitchHz = 130): Float32Array {
  let phase = 0;
  return Float32Array.from({ length: seconds * RATE_HZ }, (_, i) => {
    const time = i / RATE_HZ;
    phase += (2 * Math.PI * pitchHz * (1 + 0.02 * Math.sin(2 * Math.PI * time))) / RATE_HZ;
    const loud = 0.55 - 0.45 * Math.cos(2 * Math.PI * 5 * time);
    return 0.1 * loud * [1, 2, 3, 4, 5].reduce((sum, harmonic) => sum + Math.sin(harmonic * phase) / harmonic, 0);
  });
}

/** The period of the middle with the strongest likeness to itself, as a frequency. */
function pitchOf(pcm: Float32Array): number {
  const start = Math.floor(pcm.length / 3);
  const length = Math.min(4_800, Math.floor(pcm.length / 3));
  const likeness = (lag: number) => {
    let [sum, energy] = [0, 0];
    for (let i = start; i < start + length; i++) {
      sum += (pcm[i] ?? 0) * (pcm[i + lag] ?? 0);
      energy += (pcm[i + lag] ?? 0) ** 2;
    }
    return sum / Math.sqrt(energy + 1e-9);
  };
  let best = 100;
  for (let lag = 100; lag < 350; lag++) if (likeness(lag) > likeness(best)) best = lag;
  const [a, b, c] = [likeness(best - 1), likeness(best), likeness(best + 1)];
  return RATE_HZ / (best + (a - c) / (2 * (a - 2 * b + c)));
}

describe("TimeStretch", () => {
  it.each(SPEEDS)("at speed %d: the length is exact and the pitch stays within 1 %%", (speed) => {
    const steady = tone(RATE_HZ * 2, RATE_HZ, 150);
    const out = stretched(steady, speed);
    expect(out).toHaveLength(Math.round(steady.length / speed));
    expect(Math.abs(pitchOf(out) / 150 - 1)).toBeLessThan(0.01);
    const spoken = stretched(voice(2), speed);
    expect(Math.abs(pitchOf(spoken) / 130 - 1)).toBeLessThan(0.03);
  });

  it.each(SPEEDS)("at speed %d: keeps the level and stays bounded", (speed) => {
    const pcm = voice(2);
    const out = stretched(pcm, speed);
    const rms = (samples: Float32Array) => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
    expect(Math.abs(20 * Math.log10(rms(out) / rms(pcm)))).toBeLessThan(1);
    const peak = (samples: Float32Array) => samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(peak(out)).toBeLessThanOrEqual(peak(pcm) * 1.01);
  });

  it.each([0.37, 0.8, 1, 1.5, 4])("at speed %d: gives the same samples for audio that arrives in parts", (speed) => {
    const pcm = voice(1).subarray(0, 20_011);
    const whole = stretched(pcm, speed);
    for (const step of [1, 333, 960, 7_000]) expect(stretched(pcm, speed, step)).toEqual(whole);
  });

  it("gives the audio soon: no more than 0.1 s is held back", () => {
    const stretch = new TimeStretch(1.25);
    let given = 0;
    let got = 0;
    const pcm = voice(1);
    for (let start = 0; start < pcm.length; start += 960) {
      given += 960;
      got += stretch.write(pcm.subarray(start, start + 960)).length;
      expect(given - got * 1.25).toBeLessThan(0.15 * RATE_HZ);
    }
  });

  it("takes its time for loud and silent parts: syllables stay where they belong", () => {
    const pcm = new Float32Array(RATE_HZ);
    pcm.set(tone(RATE_HZ / 4, RATE_HZ, 200), RATE_HZ / 2);
    for (const speed of [0.5, 2]) {
      const out = stretched(pcm, speed);
      const first = out.findIndex((x) => Math.abs(x) > 0.1) / RATE_HZ;
      const last = out.findLastIndex((x) => Math.abs(x) > 0.1) / RATE_HZ;
      expect(Math.abs(first - 0.5 / speed)).toBeLessThan(0.03);
      expect(Math.abs(last - 0.75 / speed)).toBeLessThan(0.03);
    }
  });

  it.each([1, 2, 100, 1_500])("works for %i samples, and leaves at least one", (count) => {
    const pcm = tone(count, RATE_HZ).map((x) => x + 0.1);
    for (const speed of SPEEDS) {
      const out = stretched(pcm, speed);
      expect(out).toHaveLength(Math.max(1, Math.round(count / speed)));
      expect(out.every(Number.isFinite)).toBe(true);
    }
    expect(new TimeStretch(2).end()).toHaveLength(0);
  });

  it.each([0, 0.2, 4.1, -1, Number.NaN])("refuses the speed %d", (speed) => {
    expect(() => new TimeStretch(speed)).toThrow(RangeError);
  });
});
