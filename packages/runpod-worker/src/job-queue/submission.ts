import { randomUUID } from "node:crypto";
import type { RunRequest } from "../protocol/run-request.ts";
import type { JobRecord } from "./job-record.ts";
import { memorySizeOf } from "./memory-size.ts";
import type { QueueRules } from "./queue-rules.ts";

export interface SubmitOptions {
  /** A job of `/runsync`: its id has another form, and its result is kept for a shorter time. */
  readonly isSync?: boolean;
  /** Bytes of memory that the request takes. Default: measured. */
  readonly sizeBytes?: number;
  /** How long the caller of `/runsync` asked to wait, in milliseconds. */
  readonly waitMs?: number | undefined;
  /** The id to use; for tests. */
  readonly id?: string | undefined;
  /** Fields that the worker gets in addition to `id` and `input`; for tests. */
  readonly extraFields?: Readonly<Record<string, unknown>>;
  /** Given to the handler as it is, for a job of a caller in this process. Such a job runs once only. */
  readonly attachment?: unknown;
}

/** A new job, which waits in the queue; `now` is the time of the queue's clock in milliseconds. */
export function createRecord(
  request: RunRequest,
  options: SubmitOptions,
  { now, rules }: { readonly now: number; readonly rules: QueueRules },
): JobRecord {
  const isSync = options.isSync ?? false;
  return {
    id: options.id ?? (isSync ? `sync-${randomUUID()}-e1` : `${randomUUID()}-u1`),
    request,
    isInputDropped: false,
    inputBytes: options.sizeBytes ?? memorySizeOf(request),
    extraFields: options.extraFields ?? {},
    isInProcess: options.attachment !== undefined,
    attachment: options.attachment,
    retentionMs: isSync ? syncRetentionMs(options.waitMs, rules) : rules.retentionMs,
    status: "IN_QUEUE",
    queuedAtMs: now,
    startedAtMs: undefined,
    finishedAtMs: undefined,
    workerId: undefined,
    output: undefined,
    error: undefined,
    failure: undefined,
    chunks: [],
    chunkBytes: 0,
    resultBytes: 0,
    dropped: undefined,
    retries: 0,
    losses: 0,
    expiresAtMs: now + (request.policy?.ttl ?? rules.ttlMs),
    isRemoved: false,
    executionTimer: undefined,
    ttlTimer: undefined,
    retentionTimer: undefined,
  };
}

function syncRetentionMs(waitMs: number | undefined, rules: QueueRules): number {
  return Math.min(rules.maxSyncRetentionMs, Math.max(rules.syncRetentionMs, waitMs ?? 0));
}
