export interface BackOffOptions {
  /** First wait in milliseconds. */
  readonly firstMs: number;
  /** Longest wait in milliseconds. */
  readonly maxMs: number;
  /** Number in [0, 1); replaced by tests. */
  readonly random?: () => number;
}

/** Random share of each wait, so that a thousand workers do not come back at the same moment. */
const JITTER = 0.25;

/** Waits that double from `firstMs` to `maxMs`, each shortened by up to a quarter at random. */
export class BackOff {
  readonly #options: BackOffOptions;
  #failures = 0;

  constructor(options: BackOffOptions) {
    this.#options = options;
  }

  /** Failures in a row since the last `reset`. */
  get failures(): number {
    return this.#failures;
  }

  /** True for the 1st, 2nd, 4th, 8th … failure in a row, which are worth a log line. */
  get isWorthLogging(): boolean {
    return this.#failures > 0 && Number.isInteger(Math.log2(this.#failures));
  }

  /** Counts a failure and returns how long to wait, in milliseconds. */
  next(): number {
    const { firstMs, maxMs, random = Math.random } = this.#options;
    const waitMs = Math.min(firstMs * 2 ** Math.min(this.#failures, 30), maxMs);
    this.#failures += 1;
    return waitMs * (1 - JITTER * random());
  }

  reset(): void {
    this.#failures = 0;
  }
}
