import type { Measured } from "./measured.ts";
import type { GuardThresholds } from "./thresholds.ts";
import type { ChunkFacts, Finding } from "./types.ts";

type LengthFacts = Pick<ChunkFacts, "textTokens" | "expectedFrames" | "framesPerSecond">;

/** Frames from which on a chunk runs away: beyond any way to speak its text. */
function runawayLimit({ textTokens, expectedFrames }: LengthFacts, thresholds: GuardThresholds): number {
  const byTokens = Math.max(thresholds.runawayFloorFrames, thresholds.runawayFramesPerToken * textTokens);
  return Math.max(byTokens, thresholds.runawayExpectedRatio * expectedFrames);
}

export function measureRunaway(frames: number, facts: LengthFacts, thresholds: GuardThresholds): Measured {
  const limit = runawayLimit(facts, thresholds);
  const finding: Finding = {
    code: "RUNAWAY",
    startSeconds: Math.min(limit, frames) / facts.framesPerSecond,
    endSeconds: frames / facts.framesPerSecond,
    detail: `far more frames than the text can take (got ${frames}, limit ${Math.round(limit)})`,
    value: frames,
    limit,
    isBad: true,
  };
  return { excess: frames / limit, finding };
}

export function measureEarlyStop(frames: number, facts: LengthFacts, thresholds: GuardThresholds): Measured {
  const limit = thresholds.earlyStopExpectedRatio * facts.expectedFrames;
  const seconds = frames / facts.framesPerSecond;
  const finding: Finding = {
    code: "EARLY_STOP",
    startSeconds: seconds,
    endSeconds: seconds,
    detail: `far fewer frames than the text needs (got ${frames}, limit ${Math.round(limit)})`,
    value: frames,
    limit,
    isBad: true,
  };
  return { excess: limit === 0 ? 0 : limit / Math.max(frames, 1), finding };
}
