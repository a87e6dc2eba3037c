import type { Clock } from "./clock.ts";
import type { JobRecord } from "./job-record.ts";

export interface WaitOptions {
  /** How long to wait at most, in milliseconds of the queue's clock. */
  readonly timeoutMs: number;
  /** Aborted when the caller has gone. */
  readonly signal?: AbortSignal | undefined;
}

/** Waits for a change of a job: callers of `/runsync`, `/status-sync` and `/stream`. */
export class ChangeWaits {
  readonly #clock: Clock;
  readonly #waits = new Map<JobRecord, Set<() => void>>();
  readonly #open = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when `isDone` holds, the job is deleted, the time is over, the caller has gone, or all is closed. */
  waitUntil(record: JobRecord, isDone: (record: JobRecord) => boolean, options: WaitOptions): Promise<void> {
    if (record.isRemoved || isDone(record) || options.signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        options.signal?.removeEventListener("abort", finish);
        this.#open.delete(finish);
        this.#unsubscribe(record, check);
        resolve();
      };
      const check = (): void => {
        if (record.isRemoved || isDone(record)) finish();
      };
      const timer = this.#clock.after(options.timeoutMs, finish);
      options.signal?.addEventListener("abort", finish);
      this.#open.add(finish);
      this.#subscribe(record, check);
    });
  }

  /** Makes every wait for this job check again. */
  notify(record: JobRecord): void {
    for (const check of this.#waits.get(record) ?? []) check();
  }

  close(): void {
    for (const finish of this.#open) finish();
  }

  #subscribe(record: JobRecord, check: () => void): void {
    const checks = this.#waits.get(record) ?? new Set();
    checks.add(check);
    this.#waits.set(record, checks);
  }

  #unsubscribe(record: JobRecord, check: () => void): void {
    const checks = this.#waits.get(record);
    checks?.delete(check);
    if (checks?.size === 0) this.#waits.delete(record);
  }
}
