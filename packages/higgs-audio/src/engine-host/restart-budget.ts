export interface RestartRules {
  /** Ends within `windowMs` after which the engine is not started again. */
  readonly maxCrashes: number;
  readonly windowMs: number;
  /** Wait before the first restart; each further one within the window waits twice as long. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

export const DEFAULT_RESTART_RULES: RestartRules = {
  maxCrashes: 5,
  windowMs: 600_000,
  firstDelayMs: 250,
  maxDelayMs: 30_000,
};

/** Decides whether and when an engine that ended is started again: often enough to survive an accident, but not forever. */
export class RestartBudget {
  readonly #rules: RestartRules;
  /** Moments of the ends within the window. */
  #ends: number[] = [];

  constructor(rules: RestartRules) {
    this.#rules = rules;
  }

  /** Notes an end and gives the wait before the restart, or null when there are too many. */
  next(nowMs: number): number | null {
    const { maxCrashes, windowMs, firstDelayMs, maxDelayMs } = this.#rules;
    this.#ends = [...this.#ends.filter((endMs) => nowMs - endMs < windowMs), nowMs];
    if (this.#ends.length > maxCrashes) return null;
    return Math.min(firstDelayMs * 2 ** (this.#ends.length - 1), maxDelayMs);
  }
}
