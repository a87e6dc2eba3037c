import type { JobFailure } from "../protocol/api-errors.ts";

/** Why a running job must stop. */
export type StopReason = "cancelled" | "timed-out" | "expired" | "superseded";

/** How a post about a job was taken: `late` when the job had ended before. */
export type PostOutcome = "accepted" | "unknown" | "late";

export interface SubmitOptions {
  /** A job of `/runsync`: another form of id, and a result that is kept for a shorter time. */
  readonly isSync?: boolean;
  /** Bytes of memory that the request takes, where that is known; measured if not. */
  readonly sizeBytes?: number;
  /** How long the caller of `/runsync` wanted to wait, in milliseconds, if it said so. */
  readonly waitMs?: number | undefined;
  /** The id to use; for tests. */
  readonly id?: string;
  /** Fields that the worker gets beside `id` and `input`; for tests. */
  readonly extraFields?: Readonly<Record<string, unknown>>;
}

export interface FinishOptions {
  /** The worker that says so, if it gave its name. */
  readonly workerId?: string | undefined;
  /** What the error means to clients. */
  readonly failure?: JobFailure | undefined;
}
