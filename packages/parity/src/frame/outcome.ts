import type { GoldenCase, GoldenOutcome } from "./types.ts";

/** The outcome of a case that met its tolerance; `largestError` is 0 for exact cases. */
export function passed(detail: string, largestError = 0): GoldenOutcome {
  return { status: "passed", largestError, detail };
}

/** The outcome of a case outside its tolerance; `detail` says where the first difference is. */
export function failed(detail: string, largestError = 1): GoldenOutcome {
  return { status: "failed", largestError, detail };
}

/** The outcome of a case whose value named `what` exceeds its tolerance. */
export function offBy(what: string, error: number, limit: number): GoldenOutcome {
  return failed(`${what}: off by ${error.toExponential(1)} (limit ${limit.toExponential(1)})`, error);
}

/** The outcome of a case that cannot run here; `detail` says what to install or pass. */
export function skipped(detail: string): GoldenOutcome {
  return { status: "skipped", largestError: 0, detail };
}

/** Runs a case; an error that it throws is a failure with the error's text as detail. */
export async function runGoldenCase(golden: GoldenCase): Promise<GoldenOutcome> {
  try {
    return await golden.run();
  } catch (error) {
    return failed(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
}
