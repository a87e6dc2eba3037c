import { LEAST_DB, type Levels } from "./levels.ts";
import type { Measured } from "./measured.ts";
import type { GuardThresholds } from "./thresholds.ts";

/** A click of so many blocks does not end a silence. */
const CLICK_BLOCKS = 3;

/** Audio that is nowhere louder has no speech: a whisper is. */
const SPEECH_DB = -60;

/** Whether each block is silent: so much below the loud ones, or below all speech. */
export function silentBlocks({ levelDb, loudDb }: Levels, { silenceDepthDb }: GuardThresholds): Uint8Array {
  const limitDb = Math.max(loudDb - silenceDepthDb, SPEECH_DB);
  return Uint8Array.from(levelDb, (level) => (level < limitDb ? 1 : 0));
}

/** The longest silence with sound on both sides; all of the audio if there is no sound in it. */
export function measureSilence(levels: Levels, isSilent: Uint8Array, thresholds: GuardThresholds): Measured {
  const { start, end } = longestSilence(isSilent);
  const limit = thresholds.silenceInsideSeconds;
  const isMute = (levels.levelDb.length > 0 ? levels.loudDb : LEAST_DB) < SPEECH_DB;
  const seconds = (end - start) * levels.blockSeconds;
  const value = isMute ? Math.max(seconds, isSilent.length * levels.blockSeconds) : seconds;
  return {
    excess: isMute ? Math.max(2, value / limit) : value / limit,
    finding: {
      code: "SILENCE_INSIDE",
      startSeconds: isMute ? 0 : start * levels.blockSeconds,
      endSeconds: isMute ? value : end * levels.blockSeconds,
      detail: isMute
        ? `no speech at all (loudest at ${levels.loudDb.toFixed(0)} dB, limit ${SPEECH_DB} dB)`
        : `silence with sound after it (got ${value.toFixed(2)} s, limit ${limit} s)`,
      value,
      limit,
      isBad: true,
    },
  };
}

interface Run {
  readonly start: number;
  readonly end: number;
}

function longestSilence(isSilent: Uint8Array): Run {
  let longest: Run = { start: 0, end: 0 };
  const first = isSilent.indexOf(0);
  // Behind the last sound that is longer than a click.
  let soundEnd = first === -1 ? isSilent.length : first + 1;
  let soundBlocks = 0;
  for (let block = soundEnd; block < isSilent.length; block++) {
    soundBlocks = isSilent[block] === 1 ? 0 : soundBlocks + 1;
    if (soundBlocks <= CLICK_BLOCKS) continue;
    const end = block - CLICK_BLOCKS;
    if (end - soundEnd > longest.end - longest.start) longest = { start: soundEnd, end };
    soundEnd = block + 1;
  }
  return longest;
}
