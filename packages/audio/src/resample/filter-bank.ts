import { KERNEL_HALF_WIDTH, kernelAt } from "./kernel.ts";

/**
 * The filters of one pair of rates. An output sample lies at the input position `base + phase` with a whole `base` and
 * 0 ≤ phase < 1; its filter covers the inputs `base − taps/2 + 1 … base + taps/2`.
 */
export interface FilterBank {
  /** Inputs that one output sample is made of; even. */
  readonly taps: number;
  /** Output `m` lies at input `m · step / phases`. */
  readonly step: number;
  readonly phases: number;
  /** The filtered value for phase `phase / phases` of the inputs from `first` on; outside `pcm` they are 0. */
  readonly filter: Filter;
}

type Filter = (pcm: Float32Array, first: number, phase: number) => number;

/**
 * Up to this many phases each have their own filter (44.1 kHz has 80, 11.025 kHz 320; at most 8 MB for any usual rate).
 * Rates without a large common divisor have up to 24 000 and share {@link SHARED_PHASES} filters by interpolation.
 */
const MAX_OWN_PHASES = 1000;

/** With cubic interpolation the error is below −150 dB, which float32 cannot show. */
const SHARED_PHASES = 128;

/** Coefficients of a cubic. */
const CUBIC = 4;

export function makeFilterBank(fromHz: number, toHz: number): FilterBank {
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const phases = toHz / divisor;
  const step = fromHz / divisor;
  const lowToInput = Math.min(1, toHz / fromHz);
  const taps = 2 * Math.ceil(KERNEL_HALF_WIDTH / lowToInput);
  const weight = (tap: number, phase: number) => lowToInput * kernelAt((tap - taps / 2 + 1 - phase) * lowToInput);
  const filter = phases <= MAX_OWN_PHASES ? ownFilters(taps, phases, weight) : sharedFilters(taps, phases, weight);
  return { taps, step, phases, filter };
}

type Weight = (tap: number, phase: number) => number;

function ownFilters(taps: number, phases: number, weight: Weight): Filter {
  const rows = new Float64Array(phases * taps);
  for (let i = 0; i < rows.length; i++) rows[i] = weight(i % taps, Math.floor(i / taps) / phases);
  return (pcm, first, phase) => dot(rows, phase * taps, pcm, first, taps);
}

/** Rows of `SHARED_PHASES` cubics: each row holds the constant terms of all taps, then the linear ones, and so on. */
function sharedFilters(taps: number, phases: number, weight: Weight): Filter {
  const rows = new Float64Array(SHARED_PHASES * CUBIC * taps);
  for (let tap = 0; tap < taps; tap++) {
    const at = (row: number) => weight(tap, row / SHARED_PHASES);
    let points: [number, number, number, number] = [at(-1), at(0), at(1), at(2)];
    for (let row = 0; row < SHARED_PHASES; row++) {
      cubicThrough(...points).forEach((term, degree) => (rows[(row * CUBIC + degree) * taps + tap] = term));
      points = [points[1], points[2], points[3], at(row + 3)];
    }
  }
  return (pcm, first, phase) => {
    const exact = (phase / phases) * SHARED_PHASES;
    const row = Math.floor(exact);
    const x = exact - row;
    const place = row * CUBIC * taps;
    const d0 = dot(rows, place, pcm, first, taps);
    const d1 = dot(rows, place + taps, pcm, first, taps);
    const d2 = dot(rows, place + 2 * taps, pcm, first, taps);
    const d3 = dot(rows, place + 3 * taps, pcm, first, taps);
    return d0 + x * (d1 + x * (d2 + x * d3));
  };
}

/** The cubic that has these values at −1, 0, 1 and 2: constant, linear, quadratic and cubic term. */
function cubicThrough(a: number, b: number, c: number, d: number): [number, number, number, number] {
  return [b, c - b / 2 - a / 3 - d / 6, (a + c) / 2 - b, (d - a) / 6 + (b - c) / 2];
}

/** Four independent sums, which the processor can compute in parallel; always in float64. */
function dot(rows: Float64Array, place: number, pcm: Float32Array, first: number, taps: number): number {
  const start = Math.max(0, -first);
  const end = Math.min(taps, pcm.length - first);
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  let tap = start;
  for (; tap + 3 < end; tap += 4) {
    const row = place + tap;
    const input = first + tap;
    sum0 += (rows[row] as number) * (pcm[input] as number);
    sum1 += (rows[row + 1] as number) * (pcm[input + 1] as number);
    sum2 += (rows[row + 2] as number) * (pcm[input + 2] as number);
    sum3 += (rows[row + 3] as number) * (pcm[input + 3] as number);
  }
  for (; tap < end; tap++) sum0 += (rows[place + tap] as number) * (pcm[first + tap] as number);
  return sum0 + sum1 + (sum2 + sum3);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
