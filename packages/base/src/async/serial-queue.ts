/** Runs asynchronous pieces of work one after another, in the order of the calls. */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Whether some work is running or waiting. */
  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  /** Resolves or rejects as `work` does; a failure does not hold up what comes after. */
  run<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const result = this.#tail.then(work).finally(() => {
      this.#waiting -= 1;
    });
    this.#tail = result.catch(() => {});
    return result;
  }
}
