import type { Levels } from "./levels.ts";
import type { Measured } from "./measured.ts";
import { BAND_COUNT, type Spectrum } from "./spectrum.ts";
import type { GuardThresholds } from "./thresholds.ts";

/** Blocks at the end that all have to be quieter than speech if the end is not cut off. */
const LAST_SECONDS = 0.06;

/** A sound is steady if its bands change by less than this, on average, in 60 ms. */
const STEADY_DB = 2;
const STEADY_FRAMES = 3;

/** From this flatness on a sound is hiss; fricatives are too, but short. */
const HISS_FLATNESS_DB = -10;

/**
 * What the bands change in 20 ms, less this share of what they change in 80 ms: sounds of speech last, so it is about 0 dB there; codes
 * that have nothing to do with each other give 4 dB.
 */
const LASTING_SHARE = 0.4;
const LASTING_FRAMES = 4;
const GARBLE_CHANGE_DB = 2.4;
const GARBLE_SPREAD_DB = 3;

/** What a window of speech takes from the noise behind it. */
const SPEECH_COST = 1.5;

/** So many windows of speech before the noise end the search. */
const SPEECH_FRAMES = 25;

/** A run of noise up to the end of the sound. */
interface NoiseRun {
  readonly frames: number;
  readonly start: number;
  readonly end: number;
}

/** How loud the very end is, compared with the loud blocks: speech that is over has faded. In dB, 0 or below for speech. */
export function endLevelDb({ levelDb, loudDb, blockSeconds }: Levels): number {
  const last = levelDb.subarray(-Math.round(LAST_SECONDS / blockSeconds));
  return last.length === 0 ? 0 : Math.max(...last) - loudDb;
}

/** Hiss, hum or garble at the end of the sound. */
export function measureNoiseAtEnd(
  levels: Levels,
  spectrum: Spectrum,
  isSilent: Uint8Array,
  thresholds: GuardThresholds,
): Measured {
  const isSound = soundFrames(levels, spectrum, isSilent);
  const noise = longestNoise(spectrum, isSound, (frame) => noiseWeight(spectrum, frame));
  const garble = longestNoise(spectrum, isSound, (frame) => garbleWeight(spectrum, frame));
  const [name, run, limit] =
    noise.frames / thresholds.noiseAtEndSeconds >= garble.frames / thresholds.garbleAtEndSeconds
      ? (["noise or hum", noise, thresholds.noiseAtEndSeconds] as const)
      : (["sounds that are not speech", garble, thresholds.garbleAtEndSeconds] as const);
  const value = run.frames * spectrum.hopSeconds;
  return {
    excess: value / limit,
    finding: {
      code: "NOISE_AT_END",
      startSeconds: run.start * spectrum.hopSeconds,
      endSeconds: run.end * spectrum.hopSeconds,
      detail: `${name} at the end (got ${value.toFixed(2)} s, limit ${limit} s)`,
      value,
      limit,
      isBad: true,
    },
  };
}

/** Windows of the spectrum whose middle is not silent. */
function soundFrames({ blockSeconds }: Levels, { frames, hopSeconds }: Spectrum, isSilent: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: frames }, (_, frame) => {
    const block = Math.round((frame * hopSeconds) / blockSeconds) + 1;
    return isSilent[block] === 1 && isSilent[block + 1] === 1 ? 0 : 1;
  });
}

/** The run with the largest sum of weights that ends with the last sound; silence counts nothing. */
function longestNoise({ frames }: Spectrum, isSound: Uint8Array, weigh: (frame: number) => number): NoiseRun {
  const end = isSound.lastIndexOf(1) + 1;
  let best: NoiseRun = { frames: 0, start: end, end };
  let sum = 0;
  for (let frame = Math.min(end, frames) - 1; frame >= 0; frame--) {
    if (isSound[frame] === 0) continue;
    sum += weigh(frame);
    if (sum > best.frames) best = { frames: sum, start: frame, end };
    else if (sum < best.frames - SPEECH_COST * SPEECH_FRAMES) break;
  }
  return best;
}

function noiseWeight(spectrum: Spectrum, frame: number): number {
  const isHiss = (spectrum.flatnessDb[frame] as number) > HISS_FLATNESS_DB;
  return isHiss || changeDb(spectrum, frame, STEADY_FRAMES) < STEADY_DB ? 1 : -SPEECH_COST;
}

function garbleWeight(spectrum: Spectrum, frame: number): number {
  const change = changeDb(spectrum, frame, 1) - LASTING_SHARE * changeDb(spectrum, frame, LASTING_FRAMES);
  return Math.max(-1, Math.min(1, (change - GARBLE_CHANGE_DB) / GARBLE_SPREAD_DB));
}

/** Mean change of the bands since some windows before; toward the beginning, until as many after. */
function changeDb({ bandsDb, frames }: Spectrum, frame: number, distance: number): number {
  const other = frame >= distance ? frame - distance : Math.min(frames - 1, frame + distance);
  let sum = 0;
  for (let band = 0; band < BAND_COUNT; band++) {
    sum += Math.abs((bandsDb[frame * BAND_COUNT + band] as number) - (bandsDb[other * BAND_COUNT + band] as number));
  }
  return sum / BAND_COUNT;
}
