import type { WorkerTiming } from "../config/worker-timing.ts";
import type { Logger } from "../logging/logger.ts";
import { BackOff } from "../platform/back-off.ts";
import type { PlatformClient } from "../platform/platform-client.ts";
import { sleep } from "../platform/sleep.ts";
import { pollStops, type StopOutcome } from "../platform/stop-poll.ts";

export interface StopLoopOptions {
  readonly client: PlatformClient;
  /** Absent = the take URL implies no stop channel; then the loop only waits for its end. */
  readonly url: string | undefined;
  readonly timing: WorkerTiming;
  readonly log: Logger;
  /** Stops one job; false if it is not here. */
  readonly onStop: (jobId: string) => boolean;
}

/** Continually asks which jobs to stop, also while idle (spec platform §1.8, §3.4). */
export class StopLoop {
  readonly #options: StopLoopOptions;
  readonly #failures: BackOff;
  readonly #missing: BackOff;
  readonly #stopping = new AbortController();

  constructor(options: StopLoopOptions) {
    this.#options = options;
    const { stopPauseMs, pollBackOffMaxMs, stopMissingMaxMs } = options.timing;
    this.#failures = new BackOff({ firstMs: stopPauseMs, maxMs: pollBackOffMaxMs });
    this.#missing = new BackOff({ firstMs: stopPauseMs, maxMs: stopMissingMaxMs });
  }

  /** Runs until `stop`; otherwise ends only with an error of its own. */
  async run(): Promise<void> {
    const { client, url, timing, log } = this.#options;
    const { signal } = this.#stopping;
    if (url === undefined) {
      log.warn("The take URL has no /job-take/ in it: no stop channel, jobs cannot be stopped one by one.");
      await whenAborted(signal);
      return;
    }
    while (!signal.aborted) {
      const outcome = await pollStops(client, url, { timeoutMs: timing.pollTimeoutMs, signal });
      if (!signal.aborted) await this.#follow(outcome);
    }
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #follow(outcome: StopOutcome): Promise<void> {
    const { timing, log } = this.#options;
    if (outcome.kind === "stop") {
      this.#failures.reset();
      this.#missing.reset();
      await this.#followStop(outcome);
    } else if (outcome.kind === "throttled") {
      await this.#pause(outcome.waitMs ?? timing.throttledMs);
    } else if (outcome.kind === "missing") {
      const waitMs = this.#missing.next();
      if (this.#missing.failures === 1) log.warn(`The server has no stop channel (HTTP ${outcome.status}).`);
      await this.#pause(waitMs);
    } else if (outcome.kind === "refused") {
      await this.#backAway(`HTTP ${outcome.status}`);
    } else if (outcome.failure.kind === "timeout") {
      log.debug("Stop poll timed out, asking again.");
    } else {
      await this.#backAway(outcome.failure.message);
    }
  }

  async #followStop({ jobIds, warning }: Extract<StopOutcome, { kind: "stop" }>): Promise<void> {
    const { log, timing, onStop } = this.#options;
    if (warning !== undefined) log.warn(`Unexpected answer of the stop channel: ${warning}.`);
    for (const jobId of jobIds) {
      if (!onStop(jobId)) log.debug("Asked to stop a job that is not here.");
    }
    if (jobIds.length === 0) await this.#pause(timing.stopPauseMs);
  }

  async #backAway(detail: string): Promise<void> {
    const waitMs = this.#failures.next();
    if (this.#failures.isWorthLogging) {
      this.#options.log.error(`Failed to ask for stops. | ${detail} | Failure ${this.#failures.failures} in a row.`);
    }
    await this.#pause(waitMs);
  }

  #pause(durationMs: number): Promise<void> {
    return sleep(durationMs, this.#stopping.signal);
  }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
