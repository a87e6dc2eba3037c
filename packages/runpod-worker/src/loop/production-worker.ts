import type { WorkerConfig } from "../config/worker-config.ts";
import type { WorkerTiming } from "../config/worker-timing.ts";
import { RunpodWorkerError } from "../errors.ts";
import { type FitnessCheck, type FitnessFailure, runFitnessChecks } from "../fitness/fitness-checks.ts";
import { reportUnhealthy } from "../fitness/unhealthy-report.ts";
import type { Heartbeat } from "../heartbeat/heartbeat.ts";
import { startHeartbeat } from "../heartbeat/start-heartbeat.ts";
import { type JobProgram, jobStopped } from "../jobs/execute-job.ts";
import type { PlatformLogger } from "../logging/logger.ts";
import { sleep } from "../platform/sleep.ts";
import { userAgent } from "../platform/user-agent.ts";
import { WorkerUrls } from "../platform/worker-urls.ts";
import type { ProcessSurface, ShutdownSignal } from "../process-surface.ts";
import { errorMessageOf, errorTypeOf, tracebackOf } from "../results/error-text.ts";
import type { ResolvedStreamOptions } from "../streaming/stream-options.ts";
import type { Concurrency } from "./concurrency.ts";
import { QueueSession } from "./queue-session.ts";
import { type WorkerState, WorkerStateMachine } from "./worker-state.ts";

/** A production worker with every option resolved. */
export interface ProductionWorkerOptions {
  readonly config: WorkerConfig;
  readonly timing: WorkerTiming;
  readonly program: JobProgram;
  readonly surface: ProcessSurface;
  readonly log: PlatformLogger;
  readonly workerId: string;
  readonly concurrency: Concurrency;
  readonly stream: ResolvedStreamOptions;
  /** All checks in the order in which they run; called when checking begins. */
  readonly fitnessChecks: () => Promise<readonly FitnessCheck[]>;
  readonly onUnfit: "exit" | "answer" | "handle";
  readonly isRefreshing: boolean;
  readonly shutdownGraceMs: number;
  readonly stopTimeoutMs: number | undefined;
  readonly onStateChange: ((state: WorkerState) => void) | undefined;
}

/**
 * The life of a queue worker: checks, heartbeat, jobs, and its end by signal, refresh or fault.
 * Source: spec platform §1.3 to §1.10.
 */
export class ProductionWorker {
  readonly #options: ProductionWorkerOptions;
  readonly #urls: WorkerUrls;
  readonly #userAgent: string;
  readonly #state: WorkerStateMachine;
  /** Ends the grace time and the wait after a refresh. */
  readonly #hurry = new AbortController();
  #end: (exitCode: number) => void = () => {};
  #session: QueueSession | undefined;
  #heartbeat: Heartbeat | undefined;
  #isSignaled = false;
  /** Results lost before the worker was told to end; they do not affect how it ends. */
  #lostBefore = 0;
  #isFaulty = false;
  /** Settles when the platform has been told that this worker is unhealthy. */
  #unhealthyReport: Promise<void> | undefined;

  constructor(options: ProductionWorkerOptions) {
    this.#options = options;
    this.#urls = new WorkerUrls(options.config.templates, options.workerId);
    this.#userAgent = userAgent(options.config.integration);
    this.#state = new WorkerStateMachine(options.onStateChange);
  }

  /** Runs until the end and resolves with the exit code: 0 after a drain, 1 after a fault. */
  async run(): Promise<number> {
    const { surface } = this.#options;
    const ended = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    const unsubscribeFaults = surface.onFault((fault) => void this.#fault(fault));
    const unsubscribeSignals = surface.onShutdownSignal((signal) => this.#onSignal(signal));
    try {
      void this.#live();
      return await ended;
    } finally {
      unsubscribeFaults();
      unsubscribeSignals();
      this.#hurry.abort();
      this.#session?.close();
      // Not awaited: a thread that does not end must not keep the process from exiting.
      void this.#heartbeat?.stop();
    }
  }

  async #live(): Promise<void> {
    // A signal may have come before the worker did anything.
    await Promise.resolve();
    if (this.#state.isOver) return;
    try {
      this.#state.enter("checking");
      const failure = await runFitnessChecks(await this.#options.fitnessChecks(), this.#options.log);
      if (failure !== undefined) await this.#reportUnhealthy(failure);
      // A signal may have come while the checks ran.
      if (this.#state.isOver) return;
      if (failure !== undefined && this.#options.onUnfit === "exit") {
        this.#options.log.error("Worker is unhealthy, exiting.");
        this.#finish("failed");
        return;
      }
      this.#heartbeat = this.#startHeartbeat();
      this.#session = this.#openSession(this.#options.onUnfit === "answer" ? failure : undefined);
      this.#state.enter("running");
      this.#session.start();
    } catch (error) {
      await this.#fault(error);
    }
  }

  #openSession(unfit: FitnessFailure | undefined): QueueSession {
    const { config, timing, concurrency, log, program, stream, workerId, isRefreshing, stopTimeoutMs } = this.#options;
    return new QueueSession({
      config,
      urls: this.#urls,
      userAgent: this.#userAgent,
      timing,
      concurrency,
      log,
      jobParts: {
        program: unfit === undefined ? program : unfitProgram(program, unfit),
        stream,
        workerId,
        isRefreshing,
        stopTimeoutMs,
        onStopPod: () => this.#onStopPod(),
        onUnhealthy: (unhealthy) => this.#onUnhealthy(unhealthy),
        onUnresponsive: () => void this.#fault(unresponsive(stopTimeoutMs)),
      },
      onJobsChange: (jobIds) => this.#heartbeat?.setJobs(jobIds),
      onLoopEnd: (name, error) => this.#onLoopEnd(name, error),
    });
  }

  #startHeartbeat(): Heartbeat | undefined {
    const { config, log } = this.#options;
    return startHeartbeat({
      url: this.#urls.ping,
      apiKey: config.apiKey,
      hasPodId: config.hasPodId,
      userAgent: this.#userAgent,
      intervalMs: config.pingIntervalMs,
      log,
      onDeath: (detail) => this.#onLoopEnd("heartbeat", new Error(detail)),
    });
  }

  async #reportUnhealthy(failure: FitnessFailure): Promise<void> {
    const { config, timing, log } = this.#options;
    await reportUnhealthy({
      pingUrl: this.#urls.ping,
      apiKey: config.apiKey,
      failure,
      redact: (text) => log.redactor.redact(text),
      timeoutMs: timing.unhealthyReportMs,
    });
  }

  #onSignal(signal: ShutdownSignal): void {
    const { log, shutdownGraceMs } = this.#options;
    const session = this.#session;
    if (session === undefined) {
      log.info(`${signal} received before the first take, exiting.`);
      this.#finish("stopped");
    } else if (this.#isSignaled) {
      log.warn(`${signal} received again, exiting at once.`);
      this.#finish(session.runner.heldJobs > 0 ? "failed" : "stopped");
    } else {
      log.info(`${signal} received, finishing ${session.runner.heldJobs} job(s).`);
      this.#isSignaled = true;
      void this.#obeySignal(session, shutdownGraceMs);
    }
  }

  /** Lets running jobs finish, then fails the rest; a job on the wire still runs (W65 to W68). */
  async #obeySignal(session: QueueSession, graceMs: number): Promise<void> {
    // After a refresh the worker may only be waiting for this signal.
    this.#hurry.abort();
    if (this.#state.state === "running") this.#beginDraining(session);
    const grace = new AbortController();
    const isDrained = await Promise.race([
      this.#drain(session).then(() => true),
      sleep(graceMs, grace.signal).then(() => false),
    ]);
    grace.abort();
    if (!isDrained)
      await this.#failHeldJobs(session, jobStopped(`the worker was shut down after ${graceMs} ms of grace`));
    this.#finish("stopped");
  }

  #beginDraining(session: QueueSession): void {
    this.#state.enter("draining");
    this.#lostBefore = session.lostResults;
  }

  async #drain(session: QueueSession): Promise<void> {
    await session.stopTaking();
    await session.whenIdle();
  }

  /** A result with `stopPod` is about to be posted: no job may be taken after it (W84). */
  async #onStopPod(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    if (this.#state.state === "running") {
      this.#beginDraining(session);
      void this.#leaveAfterRefresh(session);
    }
    await session.stopTaking();
  }

  /** A handler reported this worker unhealthy: it takes no more jobs, and the platform is told why. */
  #onUnhealthy(failure: FitnessFailure): void {
    if (this.#unhealthyReport !== undefined) return;
    const { name, thrown } = failure;
    this.#options.log.error(`Worker is unhealthy: ${name} | ${errorTypeOf(thrown)}: ${errorMessageOf(thrown)}`);
    this.#unhealthyReport = this.#reportUnhealthy(failure);
    void this.#onStopPod();
  }

  async #leaveAfterRefresh(session: QueueSession): Promise<void> {
    const { isRefreshing, timing } = this.#options;
    await this.#drain(session);
    if (this.#unhealthyReport !== undefined) {
      await this.#unhealthyReport;
      this.#finish("failed");
      return;
    }
    // The platform stops the container by itself; the start option's own exit is what the official SDK does.
    if (!isRefreshing) await sleep(timing.refreshExitMs, this.#hurry.signal);
    this.#finish("stopped");
  }

  #onLoopEnd(name: string, error: unknown): void {
    if (this.#state.state !== "running") return;
    void this.#fault(new RunpodWorkerError("LOOP_ENDED", `Cannot go on: the ${name} ended`, { cause: error }));
  }

  /** Something beyond one job is broken: fail the jobs that are here, then exit (W82, W85). */
  async #fault(fault: unknown): Promise<void> {
    if (this.#isFaulty || this.#state.isOver) return;
    this.#isFaulty = true;
    const { log, timing } = this.#options;
    log.error(`Uncaught exception | ${errorTypeOf(fault)}: ${errorMessageOf(fault)}`);
    log.error(tracebackOf(fault));
    const deadline = setTimeout(() => this.#finish("failed"), timing.faultExitMs);
    const session = this.#session;
    if (session !== undefined) {
      // A job whose delivery has begun is treated like the running ones.
      await Promise.race([session.abandonTaking(), sleep(timing.faultExitMs / 4)]);
      await this.#failHeldJobs(session, fault);
    }
    clearTimeout(deadline);
    this.#finish("failed");
  }

  async #failHeldJobs(session: QueueSession, reason: unknown): Promise<void> {
    const { timing } = this.#options;
    await Promise.race([session.runner.failAll(reason, timing.faultExitMs / 2), sleep(timing.faultExitMs)]);
  }

  #finish(wanted: "stopped" | "failed"): void {
    if (this.#state.isOver) return;
    const state = this.#hasLostResults() ? "failed" : wanted;
    this.#state.enter(state);
    this.#end(state === "stopped" ? 0 : 1);
  }

  /** True if results die with this process; logs which. */
  #hasLostResults(): boolean {
    const session = this.#session;
    if (session === undefined) return false;
    const { unansweredJobs } = session.runner;
    for (const jobId of unansweredJobs) {
      this.#options.log.forJob({ jobId }).error("The worker is exiting, but this job's result could not be delivered.");
    }
    return unansweredJobs.length > 0 || session.lostResults > this.#lostBefore;
  }
}

/** A program that fails every job with the reason why the worker is unfit. */
function unfitProgram(program: JobProgram, { thrown }: FitnessFailure): JobProgram {
  return {
    ...program,
    inputSchema: undefined,
    handler: () => {
      throw thrown;
    },
  };
}

function unresponsive(limitMs: number | undefined): RunpodWorkerError {
  return jobStopped(`a stopped job's handler did not return within ${limitMs} ms`);
}
