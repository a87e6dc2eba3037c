/**
 * Releases what was acquired, last first; every step runs even if one fails, and the first error is thrown at the end.
 * (AsyncDisposableStack is not there yet in the oldest supported Node.)
 */
export class ReleaseStack {
  #steps: (() => void | Promise<void>)[] = [];

  /** Adds what has to be released. */
  push(release: () => void | Promise<void>): void {
    this.#steps.push(release);
  }

  async releaseAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
