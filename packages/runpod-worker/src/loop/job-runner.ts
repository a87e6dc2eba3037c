import type { PlatformLogger } from "../logging/logger.ts";
import type { Job } from "../protocol/job.ts";
import { JobRun, type JobRunParts } from "./job-run.ts";

export interface JobRunnerOptions {
  readonly parts: JobRunParts;
  readonly log: PlatformLogger;
  /** Called with the ids of all jobs that this worker holds, whenever they change. */
  readonly onJobsChange: (jobIds: readonly string[]) => void;
}

/**
 * Holds the jobs that were taken and have not ended, runs as many at once as the limit allows, and says when a slot is
 * free. Source: spec platform §1.5, §1.11.
 */
export class JobRunner {
  readonly #options: JobRunnerOptions;
  readonly #waiting: JobRun[] = [];
  readonly #running = new Set<JobRun>();
  /** Jobs that fail without having run. */
  readonly #failing = new Set<JobRun>();
  /** Shared by all waits for the next change. */
  #change = changeSignal();
  #limit = 1;

  constructor(options: JobRunnerOptions) {
    this.#options = options;
  }

  /** Jobs taken and not yet ended, running or not. */
  get heldJobs(): number {
    return this.#held.length;
  }

  /** Ids of the held jobs whose result the platform does not have yet. */
  get unansweredJobs(): readonly string[] {
    return this.#held.filter((run) => run.isUnanswered).map((run) => run.job.id);
  }

  get #held(): readonly JobRun[] {
    return [...this.#running, ...this.#waiting, ...this.#failing];
  }

  /** Free slots at this limit, never below zero. A higher limit takes effect at once (W34). */
  freeSlots(limit: number): number {
    this.#limit = limit;
    this.#startWaiting();
    return Math.max(0, limit - this.heldJobs);
  }

  /** Accepts delivered jobs. A second copy of a running job is ignored (W33). */
  accept(jobs: readonly Job[]): void {
    const { log, parts } = this.#options;
    for (const job of jobs) {
      if (this.#find(job.id) === undefined) this.#waiting.push(new JobRun(job, parts));
      else log.forJob({ jobId: job.id }).warn("This job is already running here, second copy ignored.");
    }
    log.info(`Jobs in queue: ${this.#waiting.length}`);
    this.#changed();
    this.#startWaiting();
  }

  /** Stops one job; false if it is not here. */
  stop(jobId: string): boolean {
    const run = this.#find(jobId);
    run?.stop();
    return run !== undefined;
  }

  /** Fails every job that has no result yet, all at once, within `budgetMs`. */
  async failAll(reason: unknown, budgetMs: number): Promise<void> {
    for (const run of this.#waiting.splice(0)) this.#failing.add(run);
    await Promise.all([...this.#running, ...this.#failing].map((run) => run.fail(reason, budgetMs)));
    // Jobs whose result could not be posted stay, so that they can be named.
    for (const run of this.#failing) if (!run.isUnanswered) this.#failing.delete(run);
    this.#changed();
  }

  /** Resolves at the next change of the held jobs. */
  whenChanged(): Promise<void> {
    return this.#change.promise;
  }

  /** Resolves when no job is held. */
  async whenIdle(): Promise<void> {
    while (this.heldJobs > 0) await this.whenChanged();
  }

  /** A stopped job whose handler has not returned does not block a new delivery of the same id. */
  #find(jobId: string): JobRun | undefined {
    return this.#held.find((run) => run.job.id === jobId && !run.isStopped);
  }

  #startWaiting(): void {
    while (this.#waiting.length > 0 && this.#running.size < this.#limit) {
      const run = this.#waiting.shift();
      if (run !== undefined) void this.#start(run);
    }
  }

  async #start(run: JobRun): Promise<void> {
    this.#running.add(run);
    this.#options.log.info(`Jobs in progress: ${this.#running.size}`);
    await run.run();
    this.#running.delete(run);
    this.#startWaiting();
    this.#changed();
  }

  #changed(): void {
    const held = this.#held.map((run) => run.job.id);
    this.#options.onJobsChange([...new Set(held)]);
    const { announce } = this.#change;
    this.#change = changeSignal();
    announce();
  }
}

function changeSignal(): { readonly promise: Promise<void>; readonly announce: () => void } {
  let announce = (): void => {};
  const promise = new Promise<void>((resolve) => {
    announce = resolve;
  });
  return { promise, announce };
}
