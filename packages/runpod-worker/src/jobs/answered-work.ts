import type { Logger } from "../logging/logger.ts";
import { errorMessageOf } from "../results/error-text.ts";

/** What a handler wants done once its job is answered. */
export class AnsweredWork {
  readonly #works: (() => unknown)[] = [];

  add(work: () => unknown): void {
    this.#works.push(work);
  }

  /** Runs it, in order. Never rejects: the job is over, so failures are only told. */
  async run(log: Logger): Promise<void> {
    for (const work of this.#works.splice(0)) {
      try {
        await work();
      } catch (error) {
        log.warn(`Work after the result failed. | ${errorMessageOf(error)}`);
      }
    }
  }
}
