import { RunpodWorkerError } from "../errors.ts";
import type { Logger } from "../logging/logger.ts";
import { errorTypeOf } from "../results/error-text.ts";

/** Called before each take; returns how many jobs may run at once, given the current number (at first 1). */
export type ConcurrencyModifier = (current: number) => number;

/** More than this is assumed to be a mistake. */
const MAX_CONCURRENCY = 1000;

/** The number of jobs that may run at once: fixed, or determined before each take (spec platform §1.11). */
export class Concurrency {
  readonly #modifier: ConcurrencyModifier | undefined;
  readonly #log: Logger;
  #current: number;
  #hasWarned = false;

  /** @throws {RunpodWorkerError} INVALID_OPTION when a fixed number is not a whole number from 1 to 1000 */
  constructor(setting: number | ConcurrencyModifier, log: Logger) {
    this.#log = log;
    this.#modifier = typeof setting === "function" ? setting : undefined;
    this.#current = typeof setting === "function" ? 1 : setting;
    if (!Number.isInteger(this.#current) || this.#current < 1 || this.#current > MAX_CONCURRENCY) {
      const limits = `(got ${this.#current}, limit 1 to ${MAX_CONCURRENCY})`;
      throw new RunpodWorkerError("INVALID_OPTION", `Cannot start: concurrency must be a whole number ${limits}`);
    }
  }

  /** True if the number can change by itself. */
  get isDynamic(): boolean {
    return this.#modifier !== undefined;
  }

  /** Asks the modifier. If it throws or does not return a number, the number stays as it was (W35). */
  next(): number {
    if (this.#modifier === undefined) return this.#current;
    try {
      const wanted: unknown = this.#modifier(this.#current);
      if (typeof wanted === "number" && !Number.isNaN(wanted)) this.#current = clamp(wanted);
      else this.#warn(`it returned ${typeof wanted === "number" ? "NaN" : typeof wanted}`);
    } catch (error) {
      this.#warn(`it threw ${errorTypeOf(error)}`);
    }
    return this.#current;
  }

  #warn(what: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#log.warn(`Cannot use the concurrency modifier's answer: ${what}; staying at ${this.#current}.`);
  }
}

function clamp(wanted: number): number {
  return Math.min(Math.max(Math.trunc(wanted), 1), MAX_CONCURRENCY);
}
