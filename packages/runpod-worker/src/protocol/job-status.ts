/** The states of a job that end it; only a retry leaves FAILED and TIMED_OUT again (spec platform §1.12). */
export const FINAL_JOB_STATUSES = ["COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"] as const;

export type FinalJobStatus = (typeof FINAL_JOB_STATUSES)[number];

/** The states that clients see (spec platform §1.12). */
export type JobStatus = "IN_QUEUE" | "IN_PROGRESS" | FinalJobStatus;

/** True if no more output, progress or result can come. */
export function isFinalStatus(status: string): status is FinalJobStatus {
  return (FINAL_JOB_STATUSES as readonly string[]).includes(status);
}

/** What `/status` answers and webhooks post; the fields depend on the state (spec platform §5.4). */
export interface JobStatusBody {
  readonly id: string;
  readonly status: JobStatus;
  /** Milliseconds between submission and the take. */
  readonly delayTime?: number;
  /** Milliseconds between the take and the end. */
  readonly executionTime?: number;
  readonly output?: unknown;
  readonly error?: string;
  /** Only for a failed job whose handler said so: the error's code, and whether the same request can succeed later. */
  readonly code?: string;
  readonly retryable?: boolean;
  readonly workerId?: string;
  /** How often the job went back to the queue; absent when never. */
  readonly retries?: number;
}

/** What `/health` answers (spec platform §5.4). */
export interface HealthBody {
  readonly jobs: {
    readonly completed: number;
    readonly failed: number;
    readonly inProgress: number;
    readonly inQueue: number;
    readonly retried: number;
  };
  readonly workers: {
    readonly idle: number;
    readonly initializing: number;
    readonly ready: number;
    readonly running: number;
    readonly throttled: number;
    readonly unhealthy: number;
  };
}
