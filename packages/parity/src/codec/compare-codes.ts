import { failed, passed } from "../frame/outcome.ts";
import type { GoldenOutcome } from "../frame/types.ts";

/** What the encoder made of a clip. */
export interface EncodedCodes {
  /** `codes[codebook][frame]` */
  readonly codes: readonly Int32Array[];
  /** By how much the second best squared distance exceeds the best, `margins[codebook][frame]`. */
  readonly margins: readonly Float32Array[];
}

export interface ExpectedCodes {
  /** `codes[codebook][frame]` */
  readonly codes: readonly (readonly number[])[];
  /** Second best minus best squared distance, [codebook][frame] in one list; null where the set has none. */
  readonly margins: Float32Array | null;
  /** Whether the margins of this build tell near ties where the set has none; otherwise any difference of a code counts there. */
  readonly isOwnMarginTrusted?: boolean | undefined;
  /** Norms of the residual before the first quantizer and after each, if known. */
  readonly norms: { readonly expected: Float32Array; readonly actual: readonly Float32Array[] } | null;
  /** Largest error of a feature; limits of what is derived from features follow it. */
  readonly tolerance: number;
}

/** A margin below this many tolerances is a near tie, where either code may win. */
const NEAR_TIE = 20;
/** The error of a squared distance, as a multiple of the error of the features that it comes from. */
const MARGIN_ERROR = 20;

/**
 * Compares codes, and margins and residuals as far as the codes agree. A code may differ only at a near tie, and what comes
 * after it in its frame is free, because its residual is another.
 */
export function compareCodes(actual: EncodedCodes, expected: ExpectedCodes): GoldenOutcome {
  const frames = expected.codes[0]?.length ?? 0;
  if (frames === 0 || actual.codes.length !== expected.codes.length || actual.codes[0]?.length !== frames) {
    const got = `${actual.codes.length} × ${actual.codes[0]?.length ?? 0}`;
    return failed(`codes have another shape (got ${got}, expected ${expected.codes.length} × ${frames})`);
  }
  const seen = { worst: 0, nearTies: 0 };
  for (let frame = 0; frame < frames; frame++) {
    const problem = compareFrame(actual, expected, { frame, frames }, seen);
    if (problem !== null) return failed(problem);
  }
  const ties = seen.nearTies === 0 ? "" : `, ${seen.nearTies} near ties decided otherwise`;
  return passed(`${frames} frames of codes${ties}`, seen.worst);
}

function compareFrame(
  actual: EncodedCodes,
  { codes, margins, isOwnMarginTrusted = false, norms, tolerance }: ExpectedCodes,
  { frame, frames }: { frame: number; frames: number },
  seen: { worst: number; nearTies: number },
): string | null {
  const check = (what: string, value: number, wanted: number, limit: number): string | null => {
    const error = Math.abs(value - wanted);
    seen.worst = Math.max(seen.worst, error);
    if (error <= limit * Math.max(1, Math.abs(wanted))) return null;
    return `${what} of frame ${frame}: off by ${error.toExponential(1)} (limit ${limit.toExponential(1)})`;
  };
  const checkNorm = (stage: number): string | null => {
    if (norms === null) return null;
    const value = norms.actual[stage]?.[frame] ?? Number.NaN;
    return check(`residual ${stage}`, value, norms.expected[stage * frames + frame] ?? 0, tolerance);
  };
  const checkMargin = (codebook: number, margin: number): string | null => {
    if (margins === null) return null;
    const value = actual.margins[codebook]?.[frame] ?? Number.NaN;
    return check(`margin ${codebook}`, value, margin, MARGIN_ERROR * tolerance);
  };
  for (const [codebook, row] of codes.entries()) {
    const ownMargin = isOwnMarginTrusted ? actual.margins[codebook]?.[frame] : undefined;
    const margin =
      margins === null ? (ownMargin ?? Number.POSITIVE_INFINITY) : (margins[codebook * frames + frame] ?? 0);
    const problem = checkNorm(codebook) ?? checkMargin(codebook, margin);
    const code = actual.codes[codebook]?.[frame];
    if (code !== row[frame]) {
      if (margin >= NEAR_TIE * tolerance) {
        return `code ${codebook} of frame ${frame}: expected ${row[frame]}, got ${code} (margin ${margin.toExponential(1)})`;
      }
      seen.nearTies += 1;
      return null;
    }
    if (problem !== null) return problem;
  }
  return checkNorm(codes.length);
}
