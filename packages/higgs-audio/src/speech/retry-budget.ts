/** Room for what an estimate of the work left is wrong by. */
const SAFETY_FACTOR = 1.25;

export interface RetryBudgetOptions {
  /** Attempts at one chunk after the first. */
  readonly maxRetries: number;
  /** When the request has to be done, in milliseconds since the epoch; null for never. */
  readonly deadlineAtMs: number | null;
  /** Milliseconds since the epoch; `Date.now` by default. */
  readonly now?: () => number;
}

/** Whether there is leave and time to speak a chunk again. */
export class RetryBudget {
  readonly #maxRetries: number;
  readonly #deadlineAtMs: number | null;
  readonly #now: () => number;
  #frames = 0;
  #workMs = 0;

  constructor({ maxRetries, deadlineAtMs, now = Date.now }: RetryBudgetOptions) {
    this.#maxRetries = maxRetries;
    this.#deadlineAtMs = deadlineAtMs;
    this.#now = now;
  }

  /** Notes how long frames have taken, from which the time for others is estimated. */
  note(frames: number, workMs: number): void {
    this.#frames += frames;
    this.#workMs += workMs;
  }

  /**
   * Whether a chunk may be spoken once more.
   *
   * @param retries attempts at it after the first, so far
   * @param framesToMake all that are to be made until the request is done, those of the attempt included
   */
  allows(retries: number, framesToMake: number): boolean {
    if (retries >= this.#maxRetries) return false;
    if (this.#deadlineAtMs === null) return true;
    const msPerFrame = this.#frames === 0 ? 0 : this.#workMs / this.#frames;
    return this.#now() + framesToMake * msPerFrame * SAFETY_FACTOR < this.#deadlineAtMs;
  }
}
