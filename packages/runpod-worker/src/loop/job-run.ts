import type { FitnessFailure } from "../fitness/fitness-checks.ts";
import { AnsweredWork } from "../jobs/answered-work.ts";
import { executeJob, type ExecutedJob, type JobProgram, jobStopped } from "../jobs/execute-job.ts";
import { createJobContext, secretsOf } from "../jobs/job-context.ts";
import { logRoutine, type PlatformLogger } from "../logging/logger.ts";
import { sleep } from "../platform/sleep.ts";
import type { Job } from "../protocol/job.ts";
import { errorMessageOf, thrownErrorText } from "../results/error-text.ts";
import { bodyOfError, type ResultBody, withStopPod } from "../results/result-body.ts";
import { ChunkSender } from "../streaming/chunk-sender.ts";
import { ProgressSender } from "../streaming/progress-sender.ts";
import type { ResolvedStreamOptions } from "../streaming/stream-options.ts";
import type { JobPosts } from "./job-posts.ts";

/** Shared by all jobs of a worker. */
export interface JobRunParts {
  readonly program: JobProgram;
  readonly posts: JobPosts;
  readonly stream: ResolvedStreamOptions;
  readonly workerId: string;
  /** Log without a job's id. */
  readonly log: PlatformLogger;
  /** True = the worker is replaced after every job (start option `refreshWorker`). */
  readonly isRefreshing: boolean;
  /** Called before a result with `stopPod` is posted; resolves when no further job can be taken. */
  readonly onStopPod: () => Promise<void>;
  /** Called when a handler reports this worker unhealthy. */
  readonly onUnhealthy: (failure: FitnessFailure) => void;
  /** How long a handler may keep running after its job was stopped, in milliseconds; absent = no limit. */
  readonly stopTimeoutMs: number | undefined;
  readonly onUnresponsive: (jobId: string) => void;
}

/** How a run was ended from outside; after that, nothing from the handler is sent. */
type Verdict = "stopped" | "failed";

/** One job from its take to its final post. */
export class JobRun {
  readonly job: Job;
  readonly #parts: JobRunParts;
  readonly #log: PlatformLogger;
  readonly #handlerAbort = new AbortController();
  readonly #postAbort = new AbortController();
  readonly #chunks: ChunkSender;
  readonly #progress: ProgressSender;
  readonly #answeredWork = new AnsweredWork();
  #verdict: Verdict | undefined;
  #isStream = false;
  #isRefreshAsked = false;
  #finalPost: Promise<void> | undefined;
  #isAnswered = false;
  #stopTimer: NodeJS.Timeout | undefined;

  constructor(job: Job, parts: JobRunParts) {
    this.job = job;
    this.#parts = parts;
    this.#log = parts.log.forJob({ jobId: job.id, batchId: job.batchId });
    const { signal } = this.#postAbort;
    this.#chunks = new ChunkSender({
      stream: parts.stream,
      isAggregating: parts.program.isAggregating,
      post: (body) => parts.posts.chunk(job.id, body, this.#log, signal),
      onLoss: (reason) => this.#log.error(`Failed to return job results. | Streamed output lost: ${reason}`),
    });
    this.#progress = new ProgressSender({
      post: (body) => parts.posts.progress(job.id, body, this.#log, signal),
      onUnserializable: (error) => this.#log.warn(`Cannot send progress: ${errorMessageOf(error)}`),
    });
  }

  /** True once the platform has ended the job; its slot stays taken until the handler has really returned. */
  get isStopped(): boolean {
    return this.#verdict === "stopped";
  }

  /** True while the platform still waits for the result. */
  get isUnanswered(): boolean {
    return !this.#isAnswered && !this.isStopped;
  }

  /** Runs the job. Never rejects; resolves when the slot is free again. */
  async run(): Promise<void> {
    const forget = this.#log.redactor.hold(secretsOf(this.job));
    try {
      if (this.#verdict === undefined) await this.#execute();
      if (this.isStopped) this.#log.info("Job stopped.");
    } finally {
      clearTimeout(this.#stopTimer);
      forget();
    }
  }

  /** Ends the job at the platform's request: its signal aborts and nothing more is posted (W60). */
  stop(): void {
    if (this.#verdict !== undefined) return;
    this.#log.info("Stopping job.");
    this.#end("stopped", jobStopped("the platform stopped it"));
    this.#postAbort.abort();
    const { stopTimeoutMs, onUnresponsive } = this.#parts;
    if (stopTimeoutMs === undefined) return;
    this.#stopTimer = setTimeout(() => onUnresponsive(this.job.id), stopTimeoutMs);
  }

  /** Fails the job at once with the process's fault, within `budgetMs`; a final post under way is left alone. */
  async fail(reason: unknown, budgetMs: number): Promise<void> {
    if (this.#finalPost === undefined && this.#verdict === undefined) {
      this.#end("failed", reason);
      this.#finalPost = this.#postFailure(reason, budgetMs);
    }
    await this.#finalPost;
  }

  async #postFailure(reason: unknown, budgetMs: number): Promise<void> {
    // A progress post under way must not arrive after this one, but time is short.
    await Promise.race([this.#progress.close(), sleep(budgetMs / 4)]);
    const body = bodyOfError(thrownErrorText(reason, this.#parts.program.origin));
    await this.#post(body, this.#isStream, budgetMs);
  }

  #end(verdict: Verdict, reason: unknown): void {
    this.#verdict = verdict;
    this.#chunks.discard();
    void this.#progress.close();
    this.#handlerAbort.abort(reason);
  }

  async #execute(): Promise<void> {
    const { program, workerId, log } = this.#parts;
    logRoutine(this.#log, "info", "Started.");
    const context = createJobContext(this.job, {
      workerId,
      // The platform does not say how long the job waited there.
      queuedMs: 0,
      signal: this.#handlerAbort.signal,
      log: this.#log,
      onProgress: (data) => this.#progress.send(data),
      onRefresh: () => {
        this.#isRefreshAsked = true;
      },
      whenAnswered: (work) => this.#answeredWork.add(work),
      onUnhealthy: (failure) => {
        this.#isRefreshAsked = true;
        this.#parts.onUnhealthy(failure);
      },
    });
    const executed = await executeJob(program, this.job, {
      context,
      isRefreshAsked: () => this.#isRefreshAsked,
      onChunk: (chunk) => this.#takeChunk(chunk),
      workerLog: log,
    });
    await this.#finish(executed);
  }

  #takeChunk(chunk: unknown): Promise<void> {
    this.#isStream = true;
    return this.#chunks.push(chunk);
  }

  async #finish({ body, isStream }: ExecutedJob): Promise<void> {
    let final = await this.#closeStream(body);
    await this.#progress.close();
    if (this.#verdict !== undefined) return;
    if (this.#parts.isRefreshing) final = withStopPod(final);
    if (final.stopPod === true) {
      this.#log.info("refresh_worker flag set, stopping pod after job.");
      await this.#parts.onStopPod();
    }
    // Both may have changed while waiting for the last posts and takes.
    if (this.#verdict !== undefined) return;
    this.#finalPost = this.#post(final, isStream, undefined);
    await this.#finalPost;
    if (this.#isAnswered) await this.#answeredWork.run(this.#log);
    if (!this.isStopped) logRoutine(this.#log, "info", "Finished.");
  }

  async #closeStream(body: ResultBody): Promise<ResultBody> {
    try {
      await this.#chunks.close();
      return body;
    } catch (error) {
      // The handler's own error says more than the broken stream.
      return body.error === undefined ? { ...bodyOfError(errorMessageOf(error)), ...stopPodOf(body) } : body;
    }
  }

  async #post(body: ResultBody, isStream: boolean, budgetMs: number | undefined): Promise<void> {
    const { signal } = this.#postAbort;
    this.#isAnswered = await this.#parts.posts.result(this.job.id, { body, isStream, budgetMs, signal }, this.#log);
  }
}

function stopPodOf(body: ResultBody): ResultBody {
  return body.stopPod === true ? { stopPod: true } : {};
}
