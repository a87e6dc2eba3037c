/** Pitch by normalized autocorrelation of the signal at about this rate: a third of the work of 6 kHz, and as right. */
const REDUCED_RATE_HZ = 4000;
const WINDOW_SECONDS = 0.04;
const LOWEST_HZ = 60;
const HIGHEST_HZ = 400;
/** Correlation from which a window is voiced. */
const VOICED_CORRELATION = 0.4;
/** A shorter period is believed unless a longer one correlates that much better: octave errors go to the longer one. */
const SHORTER_PERIOD_SHARE = 0.92;

export interface PitchFrames {
  readonly hopSeconds: number;
  /** Hz of each window of 40 ms; 0 where there is no voice. */
  readonly hertz: Float32Array;
  /** Highest normalized autocorrelation, −1 … 1; 0 where it was not looked for. */
  readonly correlation: Float32Array;
}

/**
 * The pitch every 40 ms.
 *
 * @param isLoud whether a window (start in seconds) is worth the work
 */
export function measurePitch(
  pcm: Float32Array,
  sampleRateHz: number,
  isLoud: (startSeconds: number) => boolean,
): PitchFrames {
  const factor = Math.max(1, Math.round(sampleRateHz / REDUCED_RATE_HZ));
  const rateHz = sampleRateHz / factor;
  const window = Math.round(WINDOW_SECONDS * rateHz);
  const longest = Math.ceil(rateHz / LOWEST_HZ);
  const shortest = Math.floor(rateHz / HIGHEST_HZ);
  const reduced = reduce(pcm, factor);
  const frames = Math.max(0, Math.floor((reduced.length - window - longest) / window) + 1);
  const hertz = new Float32Array(frames);
  const correlation = new Float32Array(frames);
  const curve = new Float64Array(longest + 1);
  for (let frame = 0; frame < frames; frame++) {
    const start = frame * window;
    if (!isLoud(start / rateHz)) continue;
    correlate(reduced, start, { window, shortest, longest }, curve);
    const lag = bestLag(curve, shortest, longest);
    correlation[frame] = curve[lag] as number;
    if ((curve[lag] as number) >= VOICED_CORRELATION) hertz[frame] = rateHz / refine(curve, lag, shortest, longest);
  }
  return { hopSeconds: window / rateHz, hertz, correlation };
}

interface Range {
  readonly window: number;
  readonly shortest: number;
  readonly longest: number;
}

/** Normalized correlation of the window with itself `lag` samples later, for every lag of the range. */
function correlate(samples: Float32Array, start: number, range: Range, curve: Float64Array): void {
  const { window, shortest, longest } = range;
  let own = 0;
  for (let i = 0; i < window; i++) own += (samples[start + i] as number) ** 2;
  let later = 0;
  for (let i = 0; i < window; i++) later += (samples[start + shortest + i] as number) ** 2;
  for (let lag = shortest; lag <= longest; lag++) {
    let sum = 0;
    const at = start + lag;
    for (let i = 0; i < window; i++) sum += (samples[start + i] as number) * (samples[at + i] as number);
    curve[lag] = sum / Math.sqrt(own * later + 1e-12);
    later += (samples[at + window] ?? 0) ** 2 - (samples[at] as number) ** 2;
  }
}

/** The shortest period among those that correlate nearly as well as the best. */
function bestLag(curve: Float64Array, shortest: number, longest: number): number {
  let best = shortest;
  for (let lag = shortest; lag <= longest; lag++) if ((curve[lag] as number) > (curve[best] as number)) best = lag;
  const enough = SHORTER_PERIOD_SHARE * (curve[best] as number);
  for (let lag = shortest + 1; lag < best; lag++) {
    const own = curve[lag] as number;
    if (own >= enough && own >= (curve[lag - 1] as number) && own >= (curve[lag + 1] as number)) return lag;
  }
  return best;
}

/** Between samples, by a parabola through the peak and its neighbors. */
function refine(curve: Float64Array, lag: number, shortest: number, longest: number): number {
  if (lag === shortest || lag === longest) return lag;
  const [left, middle, right] = [curve[lag - 1], curve[lag], curve[lag + 1]] as [number, number, number];
  const bend = left - 2 * middle + right;
  return bend === 0 ? lag : lag + (0.5 * (left - right)) / bend;
}

/** Every `factor`-th sample of a double moving average; the noise that folds back does not matter to a period. */
function reduce(pcm: Float32Array, factor: number): Float32Array {
  const reduced = new Float32Array(Math.floor(pcm.length / factor));
  let before = 0;
  for (let i = 0; i < reduced.length; i++) {
    let sum = 0;
    for (let j = 0; j < factor; j++) {
      const sample = pcm[i * factor + j] as number;
      if (Number.isFinite(sample)) sum += sample;
    }
    reduced[i] = (sum + before) / (2 * factor);
    before = sum;
  }
  return reduced;
}
