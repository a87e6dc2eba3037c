import type { ErrorCode } from "@higgs-worker/base";
import type { Stage } from "./job-trace.ts";

/** A job that failed, without anything of what was in it. */
export interface Failure {
  readonly at: string;
  readonly job_id: string;
  readonly code: ErrorCode;
  readonly stage: Stage;
  readonly reason: string;
  readonly attempt: number;
  readonly streamed: boolean;
  readonly total_ms: number;
}

/** How many failures are kept. */
const KEPT_FAILURES = 50;

/** The last failures, newest first, and how many there were of each code. */
export class FailureLog {
  readonly #kept: Failure[] = [];
  readonly #counts = new Map<ErrorCode, number>();

  add(failure: Failure): void {
    this.#counts.set(failure.code, (this.#counts.get(failure.code) ?? 0) + 1);
    this.#kept.unshift(failure);
    this.#kept.splice(KEPT_FAILURES);
  }

  get last(): readonly Failure[] {
    return this.#kept;
  }

  /** Failures since the start by code. */
  get counts(): Readonly<Partial<Record<ErrorCode, number>>> {
    return Object.fromEntries(this.#counts);
  }
}
