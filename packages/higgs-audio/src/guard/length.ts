import type { Measured } from "./measured.ts";
import type { GuardThresholds } from "./thresholds.ts";
import type { ChunkFacts, Finding } from "./types.ts";

type LengthFacts = Pick<ChunkFacts, "textTokens" | "expectedFrames" | "framesPerSecond">;

/** Frames from which on a chunk runs away: beyond any way to speak its text. */
function runawayLimit(
  { textTokens, expectedFrames, framesPerSecond }: LengthFacts,
  thresholds: GuardThresholds,
): number {
  const { runawayFramesPerToken, runawayFloorFrames, runawayExpectedRatio, runawaySpareSeconds } = thresholds;
  const byTokens = Math.max(runawayFloorFrames, runawayFramesPerToken * textTokens);
  return Math.min(byTokens, runawayExpectedRatio * expectedFrames + runawaySpareSeconds * framesPerSecond);
}

export function measureRunaway(frames: number, facts: LengthFacts, thresholds: GuardThresholds): Measured {
  const limit = runawayLimit(facts, thresholds);
  const finding: Finding = {
    code: "RUNAWAY",
    startSeconds: Math.min(limit, frames) / facts.framesPerSecond,
    endSeconds: frames / facts.framesPerSecond,
    detail: `far more frames than the text can take (got ${frames}, limit ${Math.floor(limit)})`,
    value: frames,
    limit,
    isBad: true,
  };
  return { excess: frames / limit, finding };
}

/** What there is of a chunk's speech. */
export interface SpokenPart {
  /** Frames without silence at both ends. */
  readonly frames: number;
  /** How loud the very end is, in dB of the loud parts; null if not known. */
  readonly endLevelDb: number | null;
}

/** Speech that is too short for its text, or that breaks off instead of fading. */
export function measureEarlyStop(
  { frames, endLevelDb }: SpokenPart,
  { expectedFrames, framesPerSecond }: LengthFacts,
  thresholds: GuardThresholds,
): Measured {
  const { earlyStopExpectedRatio, breakOffDb } = thresholds;
  const least = earlyStopExpectedRatio * expectedFrames;
  const lengthExcess = least === 0 ? 0 : least / Math.max(frames, 1);
  const breakExcess = endLevelDb === null ? 0 : 10 ** ((endLevelDb - breakOffDb) / 20);
  const seconds = frames / framesPerSecond;
  const where = { code: "EARLY_STOP", startSeconds: seconds, endSeconds: seconds, isBad: true } as const;
  if (lengthExcess >= breakExcess || endLevelDb === null) {
    const detail = `far fewer frames than the text needs (got ${Math.round(frames)}, limit ${Math.ceil(least)})`;
    return { excess: lengthExcess, finding: { ...where, value: frames, limit: least, detail } };
  }
  const got = `got ${endLevelDb.toFixed(1)} dB of the loud parts, limit ${breakOffDb} dB`;
  return {
    excess: breakExcess,
    finding: { ...where, value: endLevelDb, limit: breakOffDb, detail: `the end is loud, as if cut off (${got})` },
  };
}
