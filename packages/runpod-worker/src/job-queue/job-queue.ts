import { EventEmitter } from "node:events";
import { isFinalStatus, type FinalJobStatus } from "../protocol/job-status.ts";
import type { JobResultBody } from "../protocol/job.ts";
import type { RunRequest } from "../protocol/run-request.ts";
import { AdjustableClock, type Clock } from "./clock.ts";
import { ByteBudget } from "./byte-budget.ts";
import { ChangeWaits, type WaitOptions } from "./change-waits.ts";
import { setResult, type JobRecord } from "./job-record.ts";
import { JobStore } from "./job-store.ts";
import { Pace } from "./pace.ts";
import type { FinishOptions, JobQueueEvents, JobQueueOptions, PostOutcome, StopReason } from "./queue-options.ts";
import { DEFAULT_QUEUE_RULES, type QueueRules } from "./queue-rules.ts";
import { createRecord, type SubmitOptions } from "./submission.ts";
import { TakeLine, type TakeWaitOptions } from "./take-line.ts";

/**
 * The jobs of one endpoint and their states (spec platform §1.12, §4.6, §12.2): the heart of both the emulator, whose
 * workers take over HTTP, and the local API server, whose worker is a handler in the same process.
 */
export class JobQueue extends EventEmitter<JobQueueEvents> {
  readonly clock: Clock;
  readonly rules: QueueRules;
  /** The bytes of answers that clients have not read to their end: copies of results and chunks, as many as are asked for. */
  readonly answers: ByteBudget;
  readonly #queue: JobRecord[] = [];
  readonly #store: JobStore;
  readonly #takes: TakeLine;
  readonly #waits: ChangeWaits;
  readonly #pace = new Pace();
  readonly #totals = { completed: 0, failed: 0, retried: 0 };
  #inProgress = 0;
  #isDraining = false;
  #isClosed = false;

  constructor(options: JobQueueOptions = {}) {
    super();
    this.clock = options.clock ?? new AdjustableClock();
    this.rules = { ...DEFAULT_QUEUE_RULES, ...options.rules };
    this.answers = new ByteBudget(this.rules.maxAnswerBytes);
    this.#store = new JobStore({
      clock: this.clock,
      rules: this.rules,
      onExpired: (record) => this.#expire(record),
      onForgotten: (record) => this.#remove(record),
    });
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
    return this.#store.records();
  }

  get(id: string): JobRecord | undefined {
    return this.#store.get(id);
  }

  /** The bytes of waiting and running inputs; bodies being read count too. */
  get inputs(): ByteBudget {
    return this.#store.inputs;
  }

  /** True once no more jobs are accepted. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  get isFull(): boolean {
    return this.#queue.length >= this.rules.maxQueuedJobs;
  }

  /** Seconds after which a place in a full queue should be free: 1 to 60. */
  get secondsUntilRoom(): number {
    return this.#pace.secondsUntilNext;
  }

  submit(request: RunRequest, options: SubmitOptions = {}): JobRecord {
    const record = createRecord(request, options, { now: this.clock.now(), rules: this.rules });
    if (this.#store.get(record.id) !== undefined) throw new Error("Cannot submit the job: its id is in use");
    this.#store.add(record);
    this.#enqueue(record, "back");
    return record;
  }

  /** Gives up to `limit` jobs to a worker, oldest first. */
  take(limit: number, workerId: string): JobRecord[] {
    const records = this.#queue.splice(0, limit);
    for (const record of records) this.#start(record, workerId);
    return records;
  }

  /** True once nothing waits here any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** As `take`, but waits up to `holdMs` for a job; gives none if `signal` aborts first. */
  async takeWhenAvailable(limit: number, workerId: string, options: TakeWaitOptions): Promise<JobRecord[]> {
    if (options.signal?.aborted === true || this.#isClosed) return [];
    if (this.#takes.size === 0 && this.#queue.length > 0) return this.take(limit, workerId);
    return this.#takes.wait(limit, workerId, options);
  }

  /** Records a progress update. `reopens` lets a late update reopen an ended job (runpod-python#250). */
  reportProgress(id: string, output: unknown, options: { readonly reopens?: boolean } = {}): PostOutcome {
    const record = this.#store.get(id);
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
    const record = this.#store.get(id);
    if (record === undefined) return "unknown";
    if (isFinalStatus(record.status)) return "late";
    this.#store.addChunks(record, [output], "back");
    this.#waits.notify(record);
    return "accepted";
  }

  /** Ends a job: FAILED if `error` is a string, else COMPLETED, as the platform does (runpod-python#299). */
  finish(id: string, result: JobResultBody, { workerId, failure }: FinishOptions = {}): PostOutcome {
    const record = this.#store.get(id);
    if (record === undefined) return "unknown";
    if (isFinalStatus(record.status)) return "late";
    const holder = record.workerId;
    setResult(record, result, failure);
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

  /** Queues a FAILED or TIMED_OUT job again, without its output; false for others, and once the input was dropped. */
  retry(record: JobRecord): boolean {
    if ((record.status !== "FAILED" && record.status !== "TIMED_OUT") || record.isInputDropped) return false;
    this.#store.reviveFinished(record);
    record.queuedAtMs = this.clock.now();
    this.#store.clearRun(record);
    record.losses = 0;
    record.retries += 1;
    this.#totals.retried += 1;
    this.#enqueue(record, "back");
    return true;
  }

  /** Cancels all waiting jobs and returns how many there were; running ones continue. */
  purge(): number {
    const waiting = this.#queue.splice(0);
    for (const record of waiting) this.#end(record, "CANCELLED");
    return waiting.length;
  }

  /**
   * Puts a running job back at the head of the queue. With `countsAsLoss` it fails once it was requeued more often
   * than the rules allow; without, nothing is counted, since the worker never got it.
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
    this.#store.clearRun(record);
    this.#enqueue(record, "front");
  }

  /** Returns the streamed outputs since the last call. */
  drainChunks(record: JobRecord): unknown[] {
    return this.#store.takeChunks(record);
  }

  /** Puts back outputs that could not be delivered. */
  restoreChunks(record: JobRecord, chunks: readonly unknown[]): void {
    this.#store.addChunks(record, chunks, "front");
    this.#waits.notify(record);
  }

  /** Deletes the job `ttlMs` from now at the latest. */
  shortenTtl(record: JobRecord, ttlMs: number): void {
    this.#store.shortenTtl(record, ttlMs);
  }

  /** Waits until `isDone` holds or the job is deleted; also resolves when the time is up or the caller has gone. */
  waitUntil(record: JobRecord, isDone: (record: JobRecord) => boolean, options: WaitOptions): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return this.#waits.waitUntil(record, isDone, options);
  }

  /** Accepts no more jobs; known ones continue. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Ends every wait and cancels all timers; jobs stay as they are. */
  close(): void {
    this.#isClosed = true;
    this.#takes.close();
    this.#waits.close();
    this.#store.close();
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

  #stopAndEnd(record: JobRecord, status: FinalJobStatus, reason: StopReason): void {
    const { workerId } = record;
    const wasRunning = record.status === "IN_PROGRESS";
    this.#end(record, status);
    if (wasRunning && workerId !== undefined) this.emit("stop", record, workerId, reason);
  }

  #end(record: JobRecord, status: FinalJobStatus): void {
    const running = record.status === "IN_PROGRESS" ? this.#inProgress : 0;
    this.#leaveActive(record);
    record.status = status;
    record.finishedAtMs = this.clock.now();
    this.#pace.note(record, running);
    if (status === "COMPLETED") this.#totals.completed += 1;
    if (status === "FAILED" || status === "TIMED_OUT") this.#totals.failed += 1;
    this.#store.keepFinished(record);
    this.#waits.notify(record);
    this.emit("final", record);
    this.#store.trimFinished(record);
  }

  /** Parity with the platform's defect: the job runs forever, with an execution time. */
  #reopen(record: JobRecord, output: unknown): void {
    this.#store.reviveFinished(record);
    this.#store.forgetResult(record);
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

  #expire(record: JobRecord): void {
    const { workerId } = record;
    const wasRunning = record.status === "IN_PROGRESS";
    this.#remove(record);
    if (wasRunning && workerId !== undefined) this.emit("stop", record, workerId, "expired");
  }

  #remove(record: JobRecord): void {
    if (!isFinalStatus(record.status)) this.#leaveActive(record);
    this.#store.delete(record);
    this.#waits.notify(record);
  }
}
