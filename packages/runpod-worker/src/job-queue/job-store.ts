import type { ByteBudget } from "./byte-budget.ts";
import type { Clock } from "./clock.ts";
import { JobMemory } from "./job-memory.ts";
import { clearRun, type JobRecord } from "./job-record.ts";
import type { QueueRules } from "./queue-rules.ts";

export interface JobStoreOptions {
  readonly clock: Clock;
  readonly rules: QueueRules;
  /** A job has reached the end of its life, in any state. */
  readonly onExpired: (record: JobRecord) => void;
  /** A finished job is no longer kept. */
  readonly onForgotten: (record: JobRecord) => void;
}

/** All jobs that are still known, how long each is kept, and what they hold in memory. */
export class JobStore {
  readonly #options: JobStoreOptions;
  readonly #jobs = new Map<string, JobRecord>();
  /** Oldest first. */
  readonly #finished = new Set<JobRecord>();
  readonly #memory: JobMemory;

  constructor(options: JobStoreOptions) {
    this.#options = options;
    this.#memory = new JobMemory(options.rules);
  }

  get inputs(): ByteBudget {
    return this.#memory.inputs;
  }

  /** In the order of their submission. */
  records(): JobRecord[] {
    return [...this.#jobs.values()];
  }

  get(id: string): JobRecord | undefined {
    return this.#jobs.get(id);
  }

  add(record: JobRecord): void {
    this.#memory.admit(record);
    this.#armTtl(record);
    this.#jobs.set(record.id, record);
  }

  /** Deletes the job `ttlMs` from now at the latest. */
  shortenTtl(record: JobRecord, ttlMs: number): void {
    record.expiresAtMs = Math.min(record.expiresAtMs, this.#options.clock.now() + ttlMs);
    this.#armTtl(record);
  }

  /** Keeps a job that has just ended for as long as the rules say. */
  keepFinished(record: JobRecord): void {
    this.#memory.end(record);
    const forget = (): void => this.#options.onForgotten(record);
    record.retentionTimer = this.#options.clock.after(record.retentionMs, forget);
    this.#finished.add(record);
  }

  /** Takes a finished job back, which waits or runs again. */
  reviveFinished(record: JobRecord): void {
    record.retentionTimer?.cancel();
    this.#finished.delete(record);
    this.#memory.readmit(record);
  }

  /** Drops the oldest results, then the oldest finished jobs, until the rest is within the rules. */
  trimFinished(newest: JobRecord): void {
    this.#memory.shrink(this.#finished, newest);
    for (const oldest of this.#finished) {
      if (this.#finished.size <= this.#options.rules.maxFinishedJobs) return;
      this.#options.onForgotten(oldest);
    }
  }

  addChunks(record: JobRecord, chunks: readonly unknown[], end: "front" | "back"): void {
    this.#memory.addChunks(record, chunks, end);
  }

  takeChunks(record: JobRecord): unknown[] {
    return this.#memory.takeChunks(record);
  }

  /** Clears what a run left behind, so that the job looks new to the next worker. */
  clearRun(record: JobRecord): void {
    clearRun(record);
    this.#memory.forgetResult(record);
  }

  /** Drops the unread chunks and stops counting the result. */
  forgetResult(record: JobRecord): void {
    this.#memory.forgetResult(record);
  }

  delete(record: JobRecord): void {
    this.#memory.remove(record);
    cancelTimers(record);
    this.#finished.delete(record);
    this.#jobs.delete(record.id);
    record.isRemoved = true;
  }

  /** Cancels the timers of all jobs. */
  close(): void {
    for (const record of this.#jobs.values()) cancelTimers(record);
  }

  #armTtl(record: JobRecord): void {
    const { clock, onExpired } = this.#options;
    record.ttlTimer?.cancel();
    record.ttlTimer = clock.after(record.expiresAtMs - clock.now(), () => onExpired(record));
  }
}

function cancelTimers(record: JobRecord): void {
  record.executionTimer?.cancel();
  record.ttlTimer?.cancel();
  record.retentionTimer?.cancel();
}
