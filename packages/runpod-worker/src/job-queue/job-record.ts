import { isFinalStatus, type JobStatus, type JobStatusBody } from "../protocol/job-status.ts";
import type { JobFailure } from "../protocol/api-errors.ts";
import type { JobResultBody } from "../protocol/job.ts";
import type { RunRequest } from "../protocol/run-request.ts";
import type { Timer } from "./clock.ts";

/** One job of the queue. Only the queue changes it. */
export interface JobRecord {
  readonly id: string;
  /** Without `input` and `s3Config` once `isInputDropped`. */
  request: RunRequest;
  isInputDropped: boolean;
  /** Bytes of memory that the request takes; 0 once it is dropped. */
  inputBytes: number;
  /** Fields that the worker gets in addition to `id` and `input`; tests put anything here. */
  readonly extraFields: Readonly<Record<string, unknown>>;
  /** True for a job of a caller in this process, who cannot be found again: it never runs a second time. */
  readonly isInProcess: boolean;
  /** What that caller gave the handler besides the input; undefined once the job has ended. */
  attachment: unknown;
  /** Milliseconds that the result is kept. */
  readonly retentionMs: number;
  status: JobStatus;
  queuedAtMs: number;
  startedAtMs: number | undefined;
  finishedAtMs: number | undefined;
  workerId: string | undefined;
  /** The last progress update, or the result; absent means none so far, which differs from `null`. */
  output: { readonly value: unknown } | undefined;
  error: string | undefined;
  /** What the error means to clients, if the worker said so. */
  failure: JobFailure | undefined;
  /** Streamed outputs that no client has fetched yet. */
  chunks: unknown[];
  /** Bytes of memory that `chunks` take. */
  chunkBytes: number;
  /** Bytes of memory that result and unread chunks take, counted from the end of the job. */
  resultBytes: number;
  /** What was dropped to bound the memory, so clients can no longer get it. */
  dropped: "result" | "stream" | undefined;
  /** How often the job went back to the queue. */
  retries: number;
  /** How often its worker was lost since the client last submitted or retried it. */
  losses: number;
  /** When the job is deleted, in any state. */
  expiresAtMs: number;
  /** True once the job is deleted; waiting clients get 404. */
  isRemoved: boolean;
  executionTimer: Timer | undefined;
  ttlTimer: Timer | undefined;
  retentionTimer: Timer | undefined;
}

/** An `error` that is not a string counts as none. */
export function setResult(record: JobRecord, result: JobResultBody, failure: JobFailure | undefined): void {
  record.output = "output" in result ? { value: result.output } : undefined;
  record.error = typeof result.error === "string" ? result.error : undefined;
  record.failure = record.error === undefined ? undefined : failure;
}

/** Clears what a run left behind, except its streamed outputs. */
export function clearRun(record: JobRecord): void {
  record.executionTimer?.cancel();
  record.startedAtMs = undefined;
  record.finishedAtMs = undefined;
  record.workerId = undefined;
  record.output = undefined;
  record.error = undefined;
  record.failure = undefined;
}

/** The states whose answer names the worker and carries output; others have only their times. */
const STATUSES_WITH_OUTPUT: ReadonlySet<JobStatus> = new Set(["IN_PROGRESS", "COMPLETED", "FAILED"]);

/** What `/status` shows of a job: the fields that belong to its state (spec platform §5.4), times in milliseconds. */
export function statusBodyOf(record: JobRecord): JobStatusBody {
  const body = { id: record.id, status: record.status, ...timesOf(record), ...retriesOf(record) };
  if (!STATUSES_WITH_OUTPUT.has(record.status)) return body;
  return {
    ...body,
    ...(record.output === undefined ? {} : { output: record.output.value }),
    ...(record.error === undefined ? {} : { error: record.error }),
    ...failureOf(record),
    ...(record.workerId === undefined ? {} : { workerId: record.workerId }),
  };
}

function failureOf({ failure }: JobRecord): { code?: string; retryable?: boolean } {
  return failure === undefined ? {} : { code: failure.code, retryable: failure.isRetryable };
}

function retriesOf(record: JobRecord): { retries?: number } {
  return record.retries === 0 ? {} : { retries: record.retries };
}

function timesOf(record: JobRecord): { delayTime?: number; executionTime?: number } {
  const { queuedAtMs, startedAtMs, finishedAtMs } = record;
  if (startedAtMs === undefined) {
    return finishedAtMs === undefined ? {} : { delayTime: Math.round(finishedAtMs - queuedAtMs) };
  }
  const delayTime = Math.round(startedAtMs - queuedAtMs);
  if (finishedAtMs === undefined || !isFinalStatus(record.status)) return { delayTime };
  return { delayTime, executionTime: Math.round(finishedAtMs - startedAtMs) };
}
