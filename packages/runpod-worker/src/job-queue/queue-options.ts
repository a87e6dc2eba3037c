import type { JobFailure } from "../protocol/api-errors.ts";
import type { Clock } from "./clock.ts";
import type { JobRecord } from "./job-record.ts";
import type { QueueRules } from "./queue-rules.ts";

/** Why a running job must stop. */
export type StopReason = "cancelled" | "timed-out" | "expired" | "superseded";

/** The outcome of a post about a job: `late` if the job had already ended. */
export type PostOutcome = "accepted" | "unknown" | "late";

export interface JobQueueOptions {
  readonly clock?: Clock | undefined;
  readonly rules?: Partial<QueueRules> | undefined;
}

export interface JobQueueEvents {
  /** A job waits. */
  queued: [record: JobRecord];
  /** A worker has a job. */
  started: [record: JobRecord];
  /** A job has come to a final state. */
  final: [record: JobRecord];
  /** The worker that runs the job must stop it. */
  stop: [record: JobRecord, workerId: string, reason: StopReason];
}

export interface FinishOptions {
  /** The worker that posted it, if known. */
  readonly workerId?: string | undefined;
  /** What the error means to clients. */
  readonly failure?: JobFailure | undefined;
}
