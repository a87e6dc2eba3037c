import { CodeLoops, type RepeatedRun } from "./code-loops.ts";
import type { Measured } from "./measured.ts";
import type { GuardThresholds } from "./thresholds.ts";

/** Loops with longer periods are whole sentences said again, which take more frames than the text can. */
const LONGEST_PERIOD_SECONDS = 10;

/** A new meter for the codes of one attempt. */
export function newCodeLoops(framesPerSecond: number): CodeLoops {
  return new CodeLoops(LONGEST_PERIOD_SECONDS * framesPerSecond);
}

/**
 * The worse of a repeated block and a held sound.
 *
 * @param heldLimitSeconds how long a sound may be held
 */
export function measureLoop(
  { loop, held }: Pick<CodeLoops, "loop" | "held">,
  framesPerSecond: number,
  heldLimitSeconds: number,
  { loopSeconds }: GuardThresholds,
): Measured {
  const loopExcess = loop.frames / framesPerSecond / loopSeconds;
  const heldExcess = held.frames / framesPerSecond / heldLimitSeconds;
  return loopExcess >= heldExcess
    ? measured(loop, framesPerSecond, loopSeconds, `codes that repeat every ${loop.period} frames`)
    : measured(held, framesPerSecond, heldLimitSeconds, "codes that stand still");
}

function measured(run: RepeatedRun, framesPerSecond: number, limit: number, what: string): Measured {
  const value = run.frames / framesPerSecond;
  return {
    excess: value / limit,
    finding: {
      code: "LOOP",
      startSeconds: run.start / framesPerSecond,
      endSeconds: run.end / framesPerSecond,
      detail: `${what} (got ${value.toFixed(2)} s, limit ${limit} s)`,
      value,
      limit,
      isBad: true,
    },
  };
}
