import { EventEmitter } from "node:events";
import { randomUUID } from "node:crypto";
import { isFinalStatus, type FinalJobStatus } from "../protocol/job-status.ts";
import type { JobResultBody } from "../protocol/job.ts";
import type { RunRequest } from "../protocol/run-request.ts";
import { AdjustableClock, type Clock } from "./clock.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { ChangeWaits, type WaitOptions } from "./change-waits.ts";
import { JobMemory } from "./job-memory.ts";
import { createRecord, type JobRecord } from "./job-record.ts";
import type { FinishOptions, PostOutcome, StopReason, SubmitOptions } from "./queue-options.ts";
import { DEFAULT_QUEUE_RULES, type QueueRules } from "./queue-rules.ts";
import { memorySizeOf } from "./memory-size.ts";
import { TakeLine, type TakeWaitOptions } from "./take-line.ts";

export interface JobQueueOptions {
  readonly clock?: Clock;
  readonly rules?: Partial<QueueRules>;
}

interface JobQueueEvents {
  /** A job waits. */
  queued: [record: JobRecord];
  /** A worker has a job. */
  started: [record: JobRecord];
  /** A job has come to a final state. */
  final: [record: JobRecord];
  /** The worker that runs the job must stop it. */
  stop: [record: JobRecord, workerId: string, reason: StopReason];
}

/**
 * The jobs of one endpoint and their states (spec platform §1.12, §4.6, §12.2): the heart of both the emulator, whose
 * workers take over HTTP, and the local API server, whose worker is a handler in the same process.
 */
export class JobQueue extends EventEmitter<JobQueueEvents> {
  readonly clock: Clock;
  readonly rules: QueueRules;
  readonly #jobs = new Map<string, JobRecord>();
  readonly #queue: JobRecord[] = [];
  readonly #finished = new Set<JobRecord>();
  readonly #memory: JobMemory;
  readonly #takes: TakeLine;
  readonly #waits: ChangeWaits;
  readonly #totals = { completed: 0, failed: 0, retried: 0 };
  #inProgress = 0;
  #isDraining = false;
  #isClosed = false;

  constructor(options: JobQueueOptions = {}) {
    super();
    this.clock = options.clock ?? new AdjustableClock();
    this.rules = { ...DEFAULT_QUEUE_RULES, ...options.rules };
    this.#memory = new JobMemory(this.rules);
    this.#takes = new TakeLine(this.clock);
    this.#waits = new ChangeWaits(this.clock);
  }

  /** The counts of `/health`; a job that timed out counts as failed. */
  get counts(): { completed: number; failed: number; retried: number; inQueue: number; inProgress: number } {
    return { ...this.#totals, inQueue: this.#queue.length, inProgress: this.#inProgress };
  }

  /** The jobs that wait, oldest first. */
  get queued(): readonly JobRecord[] {
    return this.#queue;
  }

  /** All jobs that are still known, in the order of their submission. */
  records(): JobRecord[] {
    return [...this.#jobs.values()];
  }

  get(id: string): JobRecord | undefined {
    return this.#jobs.get(id);
  }

  /** The bytes of inputs that wait or run; bodies that are being read count as well. */
  get inputs(): ByteBudget {
    return this.#memory.inputs;
  }

  /** True once no more jobs are to be submitted. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  get isFull(): boolean {
    return this.#queue.length >= this.rules.maxQueuedJobs;
  }

  submit(request: RunRequest, options: SubmitOptions = {}): JobRecord {
    const isSync = options.isSync ?? false;
    const id = options.id ?? (isSync ? `sync-${randomUUID()}-e1` : `${randomUUID()}-u1`);
    if (this.#jobs.has(id)) throw new Error("Cannot submit the job: its id is in use");
    const now = this.clock.now();
    const record = createRecord({
      id,
      request,
      inputBytes: options.sizeBytes ?? memorySizeOf(request),
      extraFields: options.extraFields ?? {},
      retentionMs: isSync ? this.#syncRetentionMs(options.waitMs) : this.rules.retentionMs,
      queuedAtMs: now,
      expiresAtMs: now + (request.policy?.ttl ?? this.rules.ttlMs),
    });
    this.#memory.admit(record);
    this.#armTtl(record);
    this.#jobs.set(id, record);
    this.#enqueue(record, "back");
    return record;
  }

  /** Gives up to `limit` jobs to a worker, oldest first. */
  take(limit: number, workerId: string): JobRecord[] {
    const records = this.#queue.splice(0, limit);
    for (const record of records) this.#start(record, workerId);
    return records;
  }

  /** As `take`, but waits for a job for as long as `holdMs`; gives none when `signal` aborts first. */
  async takeWhenAvailable(limit: number, workerId: string, options: TakeWaitOptions): Promise<JobRecord[]> {
    if (options.signal?.aborted === true || this.#isClosed) return [];
    if (this.#takes.size === 0 && this.#queue.length > 0) return this.take(limit, workerId);
    return this.#takes.wait(limit, workerId, options);
  }

  /** Notes what a running job has to say. `reopens` lets a late update put an ended job back (runpod-python#250). */
  reportProgress(id: string, output: unknown, options: { readonly reopens?: boolean } = {}): PostOutcome {
    const record = this.#jobs.get(id);
    if (record === undefined) return "unknown";
    if (isFinalStatus(record.status)) {
      if (options.reopens === true && record.startedAtMs !== undefined) this.#reopen(record, output);
      return "late";
    }
    record.output = { value: output };
    this.#waits.notify(record);
    return "accepted";
  }

  /** Appends a streamed output. */
  appendChunk(id: string, output: unknown): PostOutcome {
    const record = this.#jobs.get(id);
    if (record === undefined) return "unknown";
    if (isFinalStatus(record.status)) return "late";
    this.#memory.addChunks(record, [output], "back");
    this.#waits.notify(record);
    return "accepted";
  }

  /** Ends a job: FAILED if `error` is a string, else COMPLETED, as the platform does (runpod-python#299). */
  finish(id: string, result: JobResultBody, { workerId, failure }: FinishOptions = {}): PostOutcome {
    const record = this.#jobs.get(id);
    if (record === undefined) return "unknown";
    if (isFinalStatus(record.status)) return "late";
    const holder = record.workerId;
    record.output = "output" in result ? { value: result.output } : undefined;
    record.error = typeof result.error === "string" ? result.error : undefined;
    record.failure = record.error === undefined ? undefined : failure;
    if (workerId !== undefined) record.workerId = workerId;
    const wasRunning = record.status === "IN_PROGRESS";
    this.#end(record, record.error === undefined ? "COMPLETED" : "FAILED");
    if (wasRunning && holder !== undefined && workerId !== undefined && holder !== workerId) {
      this.emit("stop", record, holder, "superseded");
    }
    return "accepted";
  }

  /** Cancels a job that has not ended; a running one is stopped. False if it had ended before. */
  cancel(record: JobRecord): boolean {
    if (isFinalStatus(record.status)) return false;
    this.#stopAndEnd(record, "CANCELLED", "cancelled");
    return true;
  }

  /**
   * Puts a FAILED or TIMED_OUT job back into the queue under the same id, its output removed. False for others, and for one
   * whose input was dropped.
   */
  retry(record: JobRecord): boolean {
    if ((record.status !== "FAILED" && record.status !== "TIMED_OUT") || record.isInputDropped) return false;
    this.#leaveFinished(record);
    record.queuedAtMs = this.clock.now();
    this.#resetRun(record);
    record.losses = 0;
    record.retries += 1;
    this.#totals.retried += 1;
    this.#enqueue(record, "back");
    return true;
  }

  /** Cancels all jobs that wait, and says how many there were; running ones go on. */
  purge(): number {
    const waiting = this.#queue.splice(0);
    for (const record of waiting) this.#end(record, "CANCELLED");
    return waiting.length;
  }

  /**
   * Puts a running job back at the head of the queue. With `countsAsLoss` it fails once it has gone back more often
   * than the rules allow; without, nothing is counted: the worker never got it.
   */
  requeue(record: JobRecord, options: { readonly countsAsLoss: boolean }): void {
    if (record.status !== "IN_PROGRESS") return;
    if (options.countsAsLoss) {
      if (record.losses >= this.rules.maxRequeues) {
        record.error = `worker lost: the job was given to ${record.losses + 1} workers and none finished it`;
        record.output = undefined;
        this.#end(record, "FAILED");
        return;
      }
      record.losses += 1;
      record.retries += 1;
      this.#totals.retried += 1;
    }
    this.#inProgress -= 1;
    this.#resetRun(record);
    this.#enqueue(record, "front");
  }

  /** Hands over the streamed outputs since the last call. */
  drainChunks(record: JobRecord): unknown[] {
    return this.#memory.takeChunks(record);
  }

  /** Puts outputs back that could not be handed over after all. */
  restoreChunks(record: JobRecord, chunks: readonly unknown[]): void {
    this.#memory.addChunks(record, chunks, "front");
    this.#waits.notify(record);
  }

  /** Deletes the job `ttlMs` from now at the latest. */
  shortenTtl(record: JobRecord, ttlMs: number): void {
    record.expiresAtMs = Math.min(record.expiresAtMs, this.clock.now() + ttlMs);
    this.#armTtl(record);
  }

  /** Waits until `isDone` holds or the job is deleted; resolves also when the time is over or the caller has gone. */
  waitUntil(record: JobRecord, isDone: (record: JobRecord) => boolean, options: WaitOptions): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return this.#waits.waitUntil(record, isDone, options);
  }

  /** Lets those who ask know that no more jobs are taken; those that are there go on. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Ends every wait and cancels all timers; jobs stay as they are. */
  close(): void {
    this.#isClosed = true;
    this.#takes.close();
    this.#waits.close();
    for (const record of this.#jobs.values()) cancelTimers(record);
  }

  #syncRetentionMs(waitMs: number | undefined): number {
    const { syncRetentionMs, maxSyncRetentionMs } = this.rules;
    return Math.min(maxSyncRetentionMs, Math.max(syncRetentionMs, waitMs ?? 0));
  }

  #enqueue(record: JobRecord, end: "front" | "back"): void {
    record.status = "IN_QUEUE";
    if (end === "back") this.#queue.push(record);
    else this.#queue.unshift(record);
    this.#waits.notify(record);
    this.#takes.serve((limit, workerId) => this.take(limit, workerId));
    if (record.status === "IN_QUEUE") this.emit("queued", record);
  }

  #start(record: JobRecord, workerId: string): void {
    record.status = "IN_PROGRESS";
    record.workerId = workerId;
    record.startedAtMs = this.clock.now();
    this.#inProgress += 1;
    const limitMs = record.request.policy?.executionTimeout ?? this.rules.executionTimeoutMs;
    record.executionTimer = this.clock.after(limitMs, () => this.#stopAndEnd(record, "TIMED_OUT", "timed-out"));
    this.#waits.notify(record);
    this.emit("started", record);
  }

  /** Forgets what a run has left behind, so that the job looks new to the next worker. */
  #resetRun(record: JobRecord): void {
    record.executionTimer?.cancel();
    record.startedAtMs = undefined;
    record.finishedAtMs = undefined;
    record.workerId = undefined;
    record.output = undefined;
    record.error = undefined;
    record.failure = undefined;
    this.#memory.forgetResult(record);
  }

  #stopAndEnd(record: JobRecord, status: FinalJobStatus, reason: StopReason): void {
    const { workerId } = record;
    const wasRunning = record.status === "IN_PROGRESS";
    this.#end(record, status);
    if (wasRunning && workerId !== undefined) this.emit("stop", record, workerId, reason);
  }

  #end(record: JobRecord, status: FinalJobStatus): void {
    this.#leaveActive(record);
    record.status = status;
    this.#memory.end(record);
    record.finishedAtMs = this.clock.now();
    if (status === "COMPLETED") this.#totals.completed += 1;
    if (status === "FAILED" || status === "TIMED_OUT") this.#totals.failed += 1;
    record.retentionTimer = this.clock.after(record.retentionMs, () => this.#remove(record));
    this.#finished.add(record);
    this.#waits.notify(record);
    this.emit("final", record);
    this.#memory.shrink(this.#finished, record);
    this.#dropOldestFinished();
  }

  /** Parity with the platform's defect: the job runs again for ever, with a time of execution. */
  #reopen(record: JobRecord, output: unknown): void {
    this.#leaveFinished(record);
    this.#memory.forgetResult(record);
    record.status = "IN_PROGRESS";
    record.output = { value: output };
    this.#inProgress += 1;
    this.#waits.notify(record);
  }

  #leaveActive(record: JobRecord): void {
    record.executionTimer?.cancel();
    if (record.status === "IN_PROGRESS") this.#inProgress -= 1;
    const position = record.status === "IN_QUEUE" ? this.#queue.indexOf(record) : -1;
    if (position !== -1) this.#queue.splice(position, 1);
  }

  #leaveFinished(record: JobRecord): void {
    record.retentionTimer?.cancel();
    this.#finished.delete(record);
    this.#memory.readmit(record);
  }

  #dropOldestFinished(): void {
    for (const oldest of this.#finished) {
      if (this.#finished.size <= this.rules.maxFinishedJobs) return;
      this.#remove(oldest);
    }
  }

  #armTtl(record: JobRecord): void {
    record.ttlTimer?.cancel();
    record.ttlTimer = this.clock.after(record.expiresAtMs - this.clock.now(), () => this.#expire(record));
  }

  #expire(record: JobRecord): void {
    const { workerId } = record;
    const wasRunning = record.status === "IN_PROGRESS";
    this.#remove(record);
    if (wasRunning && workerId !== undefined) this.emit("stop", record, workerId, "expired");
  }

  #remove(record: JobRecord): void {
    if (!isFinalStatus(record.status)) this.#leaveActive(record);
    this.#memory.remove(record);
    cancelTimers(record);
    this.#finished.delete(record);
    this.#jobs.delete(record.id);
    record.isRemoved = true;
    this.#waits.notify(record);
  }
}

function cancelTimers(record: JobRecord): void {
  record.executionTimer?.cancel();
  record.ttlTimer?.cancel();
  record.retentionTimer?.cancel();
}
