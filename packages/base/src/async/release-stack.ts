/**
 * Releases resources, last first. Every step runs even if one fails; the first error is thrown at the end. (The oldest
 * supported Node has no AsyncDisposableStack yet.)
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
