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
  for (let at = 0; at < result.length; at++) {
    const phase = taps[at % to] ?? new Float32Array(0);
    const start = Math.floor(at / to) * from - width;
    const end = Math.min(phase.length, samples.length - start);
    let sum = 0;
    for (let tap = Math.max(0, -start); tap < end; tap++) sum += (phase[tap] ?? 0) * (samples[start + tap] ?? 0);
    result[at] = sum;
  }
  return result;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
