import type { JobRecord } from "./job-record.ts";

/** Weight of the newest job. */
const SMOOTHING = 0.2;
/** Clients ignore longer waits, or wait for much longer than is useful. */
const MAX_SECONDS = 60;

/** How fast jobs leave the queue, from how long they took lately. */
export class Pace {
  /** Milliseconds between the ends of two jobs, smoothed; undefined before the first. */
  #betweenMs: number | undefined;

  /** Notes a job that has ended; `running` were running with it, itself included, or 0 if it never ran. */
  note({ startedAtMs = 0, finishedAtMs = 0 }: JobRecord, running: number): void {
    if (running === 0) return;
    const newestMs = (finishedAtMs - startedAtMs) / running;
    this.#betweenMs = newestMs * SMOOTHING + (this.#betweenMs ?? newestMs) * (1 - SMOOTHING);
  }

  /** Seconds until the next job should end, for `Retry-After`: 1 to 60. */
  get secondsUntilNext(): number {
    return Math.min(MAX_SECONDS, Math.max(1, Math.ceil((this.#betweenMs ?? 0) / 1000)));
  }
}
