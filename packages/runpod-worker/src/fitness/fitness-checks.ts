import type { Logger } from "../logging/logger.ts";
import { errorMessageOf, errorTypeOf, tracebackOf } from "../results/error-text.ts";

/** A check that must pass before the worker takes jobs: returning passes, throwing fails. */
export interface FitnessCheck {
  /** Sent to the platform when the check fails. */
  readonly name: string;
  readonly check: () => void | Promise<void>;
}

/** The check that failed and what it threw. */
export interface FitnessFailure {
  readonly name: string;
  readonly thrown: unknown;
}

const registered: FitnessCheck[] = [];

/**
 * Registers a check that `start` runs before the first take, in production only. Checks run one after another in the
 * order of registration, before the automatic ones; the first failure ends the worker.
 * Source: spec platform §1.4.
 */
export function registerFitnessCheck(name: string, check: FitnessCheck["check"]): void {
  registered.push({ name, check });
}

/** The checks registered so far. */
export function registeredFitnessChecks(): readonly FitnessCheck[] {
  return [...registered];
}

/** Forgets registered checks; for tests. */
export function clearFitnessChecks(): void {
  registered.length = 0;
}

/** Runs checks one after another and returns the first failure, or `undefined` when all pass (W10). Never rejects. */
export async function runFitnessChecks(
  checks: readonly FitnessCheck[],
  log: Logger,
): Promise<FitnessFailure | undefined> {
  if (checks.length === 0) {
    log.debug("No fitness checks registered, skipping.");
    return undefined;
  }
  log.info(`Running ${checks.length} fitness check(s)...`);
  const startedAtMs = performance.now();
  for (const { name, check } of checks) {
    log.debug(`Executing fitness check: ${name}`);
    const checkStartedAtMs = performance.now();
    try {
      await check();
    } catch (thrown) {
      log.error(`Fitness check failed: ${name} | ${errorTypeOf(thrown)}: ${errorMessageOf(thrown)}`);
      log.debug(`Traceback:\n${tracebackOf(thrown)}`);
      return { name, thrown };
    }
    log.debug(`Fitness check passed: ${name} (${elapsed(checkStartedAtMs)})`);
  }
  log.info(`All fitness checks passed. (${elapsed(startedAtMs)})`);
  return undefined;
}

function elapsed(sinceMs: number): string {
  return `${(performance.now() - sinceMs).toFixed(2)}ms`;
}
