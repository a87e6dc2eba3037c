/** How the queue treats jobs. The real platform's values are documented in part only, so all can be changed. */
export interface QueueRules {
  /** Milliseconds from the take to TIMED_OUT, unless the job's policy says otherwise. */
  readonly executionTimeoutMs: number;
  /** Milliseconds from the submission until a job is deleted in any state, unless its policy says otherwise. */
  readonly ttlMs: number;
  /** Milliseconds that the result of `/run` is kept. */
  readonly retentionMs: number;
  /** Milliseconds that the result of `/runsync` is kept, unless the caller waited longer. */
  readonly syncRetentionMs: number;
  /** The longest that the result of a `/runsync` with `wait` is kept, in milliseconds. */
  readonly maxSyncRetentionMs: number;
  /** How often a job goes back to the queue because its worker was lost, before it fails. */
  readonly maxRequeues: number;
  /** Finished jobs kept at most; the oldest goes first. */
  readonly maxFinishedJobs: number;
  /** Jobs that may wait at most; more are refused. */
  readonly maxQueuedJobs: number;
  /** Bytes of the inputs of all jobs that wait or run, bodies that are being read included; more are refused. */
  readonly maxInputBytes: number;
  /** Bytes of the inputs of ended jobs that are kept for another run; the oldest goes first. */
  readonly maxEndedInputBytes: number;
  /** Which ended jobs may run again: those that `/retry` takes, or all. The inputs of others are dropped at the end. */
  readonly keepsInputsOf: "retryable jobs" | "all jobs";
  /** Bytes of the results of ended jobs, unread chunks included; the oldest goes first, the newest is always kept. */
  readonly maxResultBytes: number;
  /** Bytes of chunks of one running job that no client has read; its stream breaks off at more, the job goes on. */
  readonly maxUnreadBytes: number;
  /** Bytes of all answers with results or chunks that are on their way to clients; more are refused until some are read. */
  readonly maxAnswerBytes: number;
}

const MEBIBYTE = 1024 * 1024;

/** The documented values of spec platform §4.6 and §12.2, and bounds that keep the memory finite. */
export const DEFAULT_QUEUE_RULES: QueueRules = {
  executionTimeoutMs: 600_000,
  ttlMs: 86_400_000,
  retentionMs: 1_800_000,
  syncRetentionMs: 60_000,
  maxSyncRetentionMs: 300_000,
  maxRequeues: 2,
  maxFinishedJobs: 1000,
  maxQueuedJobs: 10_000,
  maxInputBytes: 256 * MEBIBYTE,
  maxEndedInputBytes: 32 * MEBIBYTE,
  keepsInputsOf: "retryable jobs",
  maxResultBytes: 256 * MEBIBYTE,
  maxUnreadBytes: 32 * MEBIBYTE,
  maxAnswerBytes: 128 * MEBIBYTE,
};
