/** How the queue treats jobs. Only some of the real platform's values are documented, so all can be changed. */
export interface QueueRules {
  /** Milliseconds from the take to TIMED_OUT, unless the job's policy says otherwise. */
  readonly executionTimeoutMs: number;
  /** Milliseconds from the submission until a job is deleted in any state, unless its policy says otherwise. */
  readonly ttlMs: number;
  /** Milliseconds that the result of `/run` is kept. */
  readonly retentionMs: number;
  /** Milliseconds that the result of `/runsync` is kept, unless the caller waited longer. */
  readonly syncRetentionMs: number;
  /** Longest time in milliseconds that the result of a `/runsync` with `wait` is kept. */
  readonly maxSyncRetentionMs: number;
  /** How often a job is requeued after its worker is lost, before it fails. */
  readonly maxRequeues: number;
  /** Most finished jobs kept; the oldest is dropped first. */
  readonly maxFinishedJobs: number;
  /** Most jobs that may wait; more are refused. */
  readonly maxQueuedJobs: number;
  /** Bytes of all waiting and running inputs, including bodies being read; more are refused. */
  readonly maxInputBytes: number;
  /** Bytes of inputs of ended jobs kept for another run; the oldest is dropped first. */
  readonly maxEndedInputBytes: number;
  /** Which ended jobs may run again: those that `/retry` accepts, or all. The inputs of others are dropped at the end. */
  readonly keepsInputsOf: "retryable jobs" | "all jobs";
  /** Bytes of results of ended jobs, including unread chunks; the oldest is dropped first, the newest always kept. */
  readonly maxResultBytes: number;
  /** Bytes of unread chunks of one running job; beyond this its stream breaks off, but the job continues. */
  readonly maxUnreadBytes: number;
  /** Bytes of all answers with results or chunks that are on their way to clients; more are refused until some are read. */
  readonly maxAnswerBytes: number;
}

const MEBIBYTE = 1024 * 1024;

/** The documented values (spec platform §4.6, §12.2), and limits that bound the memory. */
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
