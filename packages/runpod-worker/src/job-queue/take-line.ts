import type { Clock } from "./clock.ts";
import type { JobRecord } from "./job-record.ts";

/** A worker's take that is held open until there is a job. */
interface WaitingTake {
  readonly limit: number;
  readonly workerId: string;
  readonly settle: (records: JobRecord[]) => void;
}

export interface TakeWaitOptions {
  /** How long the take is held, in milliseconds of the queue's clock. */
  readonly holdMs: number;
  /** Aborted when the worker has hung up: then it gets no job. */
  readonly signal?: AbortSignal | undefined;
}

/** The takes that are held open, first come first served. */
export class TakeLine {
  readonly #clock: Clock;
  readonly #waiting = new Set<WaitingTake>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Waits for jobs; resolves with none when the hold ends, the worker has gone, or the line is closed. */
  wait(limit: number, workerId: string, options: TakeWaitOptions): Promise<JobRecord[]> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(options.holdMs, () => take.settle([]));
      const onAbort = (): void => take.settle([]);
      const take: WaitingTake = {
        limit,
        workerId,
        settle: (records) => {
          timer.cancel();
          options.signal?.removeEventListener("abort", onAbort);
          this.#waiting.delete(take);
          resolve(records);
        },
      };
      this.#waiting.add(take);
      options.signal?.addEventListener("abort", onAbort);
    });
  }

  /** Serves takes in order with what `give` returns, until it returns nothing. */
  serve(give: (limit: number, workerId: string) => JobRecord[]): void {
    for (const take of this.#waiting) {
      const records = give(take.limit, take.workerId);
      if (records.length === 0) return;
      take.settle(records);
    }
  }

  /** Ends every wait with no job. */
  close(): void {
    for (const take of this.#waiting) take.settle([]);
  }
}
