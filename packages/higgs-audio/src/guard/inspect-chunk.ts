import { measureEarlyStop, measureRunaway } from "./length.ts";
import { type Measured, scoreOf } from "./measured.ts";
import type { GuardThresholds } from "./thresholds.ts";
import type { ChunkFacts, Inspection } from "./types.ts";

/** Looks for everything that tells a bad chunk from a good one. Pure. */
export function inspectChunk(facts: ChunkFacts, thresholds: GuardThresholds): Inspection {
  const measured = measureChunk(facts, thresholds);
  return {
    findings: measured.filter(({ excess }) => excess > 1).map(({ finding }) => finding),
    score: scoreOf(measured),
  };
}

function measureChunk(facts: ChunkFacts, thresholds: GuardThresholds): Measured[] {
  const frames = facts.codes[0]?.length ?? 0;
  return [measureRunaway(frames, facts, thresholds), measureEarlyStop(frames, facts, thresholds)];
}
