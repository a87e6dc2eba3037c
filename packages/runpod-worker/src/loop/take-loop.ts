import type { WorkerTiming } from "../config/worker-timing.ts";
import type { Logger } from "../logging/logger.ts";
import { BackOff } from "../platform/back-off.ts";
import type { PlatformClient } from "../platform/platform-client.ts";
import { sleep } from "../platform/sleep.ts";
import { type MalformedJob, takeJobs, type TakeOutcome } from "../platform/take.ts";
import type { WorkerUrls } from "../platform/worker-urls.ts";
import type { Concurrency } from "./concurrency.ts";
import type { JobRunner } from "./job-runner.ts";

export interface TakeLoopOptions {
  readonly client: PlatformClient;
  readonly urls: WorkerUrls;
  readonly runner: JobRunner;
  readonly concurrency: Concurrency;
  readonly timing: WorkerTiming;
  readonly log: Logger;
  /** Answers a delivery that has an id but is not a job. */
  readonly onMalformed: (malformed: MalformedJob) => void;
}

const REFUSAL_STATUSES: readonly number[] = [401, 403, 404];

/** Polls for jobs while slots are free, one poll at a time (spec platform §1.5, §3.2, §3.3). */
export class TakeLoop {
  readonly #options: TakeLoopOptions;
  readonly #backOff: BackOff;
  /** Ends all waits at once. */
  readonly #stopping = new AbortController();
  /** Ends the poll under way a little later: a job may already be on the wire. */
  readonly #abandoning = new AbortController();
  /** Ends the current wait for a slot. */
  #waiting = new AbortController();
  /** Since when there have been only refusals, and whether that was reported. */
  #refusedSinceMs: number | undefined;
  #hasReportedRefusals = false;

  constructor(options: TakeLoopOptions) {
    this.#options = options;
    const { pollBackOffMs, pollBackOffMaxMs } = options.timing;
    this.#backOff = new BackOff({ firstMs: pollBackOffMs, maxMs: pollBackOffMaxMs });
  }

  /** Runs until `stop`; otherwise ends only with an error of its own. */
  async run(): Promise<void> {
    const { runner, concurrency } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const freeSlots = runner.freeSlots(concurrency.next());
      if (freeSlots === 0) await this.#waitForSlot();
      else await this.#take(freeSlots);
    }
  }

  /** Takes no more jobs: a poll under way may still bring one for a moment, then it is dropped. */
  stop(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#waiting.abort();
    setTimeout(() => this.#abandoning.abort(), this.#options.timing.takeLingerMs);
  }

  /** Takes no more jobs and drops the poll under way at once. */
  abandon(): void {
    this.stop();
    this.#abandoning.abort();
  }

  async #waitForSlot(): Promise<void> {
    const { runner, concurrency, timing } = this.#options;
    this.#waiting = new AbortController();
    // A concurrency function may grow while all slots are taken; a fixed number cannot.
    const limitMs = concurrency.isDynamic ? timing.concurrencyPollMs : timing.pollTimeoutMs;
    await Promise.race([runner.whenChanged(), sleep(limitMs, this.#waiting.signal)]);
    this.#waiting.abort();
  }

  async #take(freeSlots: number): Promise<void> {
    const { client, urls, runner, timing } = this.#options;
    const startedAtMs = performance.now();
    const url = urls.take(freeSlots, runner.heldJobs > 0);
    const signal = this.#abandoning.signal;
    // A job that the server has begun to send is read even though the loop was told to end.
    const options = { timeoutMs: timing.pollTimeoutMs, signal, graceIdleMs: timing.takeStallMs };
    const outcome = await takeJobs(client, url, options);
    await this.#follow(outcome, performance.now() - startedAtMs);
  }

  async #follow(outcome: TakeOutcome, tookMs: number): Promise<void> {
    const { log, runner, timing, onMalformed } = this.#options;
    switch (outcome.kind) {
      case "jobs":
        this.#succeeded();
        for (const malformed of outcome.malformed) onMalformed(malformed);
        if (outcome.jobs.length > 0) runner.accept(outcome.jobs);
        return;
      case "empty":
        this.#succeeded();
        log.trace(`No jobs. | ${outcome.detail}`);
        // A server that does not hold requests must not be polled without pause.
        if (tookMs < timing.quickAnswerMs) await this.#pause(timing.quickAnswerMs * (1 + 1.5 * Math.random()));
        return;
      case "throttled":
        log.debug("Too many requests.");
        await this.#pause(outcome.waitMs ?? timing.throttledMs);
        return;
      case "refused":
        this.#noteRefusal(outcome.status);
        await this.#backAway(`HTTP ${outcome.status}`);
        return;
      case "failed":
        await this.#followFailure(outcome);
        return;
    }
  }

  async #followFailure({ failure }: Extract<TakeOutcome, { kind: "failed" }>): Promise<void> {
    if (failure.kind === "aborted") {
      if (failure.hadAnswer) this.#options.log.warn("The answer to a take did not arrive whole, given up.");
      return;
    }
    this.#refusedSinceMs = undefined;
    // Held polls that end are a normal part of long polling.
    if (failure.kind === "timeout") this.#options.log.debug("Take timed out, asking again.");
    else await this.#backAway(failure.message);
  }

  #succeeded(): void {
    this.#backOff.reset();
    this.#refusedSinceMs = undefined;
  }

  async #backAway(detail: string): Promise<void> {
    const waitMs = this.#backOff.next();
    if (this.#backOff.isWorthLogging) {
      this.#options.log.error(`Failed to get job. | ${detail} | Failure ${this.#backOff.failures} in a row.`);
    }
    await this.#pause(waitMs);
  }

  /** After a long time with only refusals, says once what is probably wrong. */
  #noteRefusal(status: number): void {
    if (!REFUSAL_STATUSES.includes(status)) {
      this.#refusedSinceMs = undefined;
      return;
    }
    const nowMs = performance.now();
    this.#refusedSinceMs ??= nowMs;
    if (this.#hasReportedRefusals || nowMs - this.#refusedSinceMs < this.#options.timing.refusedReportMs) return;
    this.#hasReportedRefusals = true;
    const variable = status === 404 ? "RUNPOD_WEBHOOK_GET_JOB" : "RUNPOD_AI_API_KEY";
    this.#options.log.error(`The platform has refused every take for a long time (HTTP ${status}): check ${variable}.`);
  }

  #pause(durationMs: number): Promise<void> {
    return sleep(durationMs, this.#stopping.signal);
  }
}
