/** Zero crossings of the sinc on each side, and the share of the lower Nyquist frequency that passes (spec model §9.3). */
const LOWPASS_WIDTH = 6;
const ROLLOFF = 0.99;

/** A polyphase low-pass for a change of rate by `to / from`, both without a common divisor. */
export interface SincFilter {
  readonly from: number;
  readonly to: number;
  /** Inputs before the one that an output starts at. */
  readonly width: number;
  /** One row of taps for each of the `to` phases, for the inputs −width … width + from − 1. */
  readonly taps: readonly Float32Array[];
}

/**
 * The Hann-windowed sinc filter of the audio tokenizer (spec model §9.3, §A.4). Computed in f32 like the reference's: the
 * taps are part of the model's input.
 */
export function makeSincFilter(fromHz: number, toHz: number): SincFilter {
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const [from, to] = [fromHz / divisor, toHz / divisor];
  const base = Math.min(from, to) * ROLLOFF;
  const width = Math.ceil((LOWPASS_WIDTH * from) / base);
  const count = 2 * width + from;
  const taps = Array.from({ length: to }, (_, phase) =>
    Float32Array.from({ length: count }, (_unused, tap) => tapOf(tap - width, phase, { from, to, base })),
  );
  return { from, to, width, taps };
}

function tapOf(input: number, phase: number, { from, to, base }: { from: number; to: number; base: number }): number {
  const { fround } = Math;
  const PI = fround(Math.PI);
  const distance = fround(fround(fround(-phase / to) + fround(input / from)) * fround(base));
  const t = Math.min(LOWPASS_WIDTH, Math.max(-LOWPASS_WIDTH, distance));
  const window = fround(fround(Math.cos(fround(fround(fround(t * PI) / LOWPASS_WIDTH) / 2))) ** 2);
  const angle = fround(t * PI);
  const sinc = angle === 0 ? 1 : fround(fround(Math.sin(angle)) / angle);
  return fround(fround(sinc * window) * fround(base / from));
}

/** Samples at the new rate, ⌈n · to / from⌉ of them; the signal is zero before its start and after its end. */
export function sincResample(samples: Float32Array, { from, to, width, taps }: SincFilter): Float32Array {
  const result = new Float32Array(Math.ceil((samples.length * to) / from));
  const padded = new Float32Array(samples.length + 2 * width + from);
  padded.set(samples, width);
  for (const [phase, row] of taps.entries()) {
    let at = phase;
    let start = 0;
    // Four outputs at a time: each sum alone would wait for its last addition.
    for (; at + 3 * to < result.length; at += 4 * to, start += 4 * from) {
      let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
      for (let tap = 0, input = start; tap < row.length; tap++, input++) {
        const weight = row[tap] as number;
        sum0 += weight * (padded[input] as number);
        sum1 += weight * (padded[input + from] as number);
        sum2 += weight * (padded[input + 2 * from] as number);
        sum3 += weight * (padded[input + 3 * from] as number);
      }
      result[at] = sum0;
      result[at + to] = sum1;
      result[at + 2 * to] = sum2;
      result[at + 3 * to] = sum3;
    }
    for (; at < result.length; at += to, start += from) {
      let sum = 0;
      for (let tap = 0; tap < row.length; tap++) sum += (row[tap] as number) * (padded[start + tap] as number);
      result[at] = sum;
    }
  }
  return result;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
