interface Waiting {
  readonly deadlineMs: () => number;
  readonly work: () => Promise<void>;
}

/**
 * Runs asynchronous pieces of work one after another: of those that wait the one that is due first, and of equals the one that came first.
 * Deadlines are asked when the next piece begins, so they may change while it waits.
 */
export class DeadlineQueue {
  readonly #waiting: Waiting[] = [];
  #isRunning = false;
  /** Pieces of work that have not settled. */
  #unsettled = 0;

  /** Whether some work is running or waiting. */
  get isBusy(): boolean {
    return this.#unsettled > 0;
  }

  /** Resolves or rejects as `work` does; a failure does not hold up what comes after. */
  run<T>(deadlineMs: () => number, work: () => Promise<T>): Promise<T> {
    this.#unsettled += 1;
    return new Promise((resolve, reject) => {
      const settle = async (): Promise<void> => {
        const result = work();
        await result.catch(() => undefined);
        this.#unsettled -= 1;
        result.then(resolve, reject);
      };
      this.#waiting.push({ deadlineMs, work: settle });
      if (!this.#isRunning) void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    // What is asked for in the same turn of the event loop is compared too.
    await Promise.resolve();
    for (let next = this.#takeNext(); next !== undefined; next = this.#takeNext()) await next.work();
    this.#isRunning = false;
  }

  #takeNext(): Waiting | undefined {
    const deadlines = this.#waiting.map(({ deadlineMs }) => deadlineMs());
    const next = deadlines.indexOf(Math.min(...deadlines));
    return this.#waiting.splice(next === -1 ? 0 : next, 1)[0];
  }
}
