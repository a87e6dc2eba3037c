import type { JobQueue } from "../job-queue/job-queue.ts";
import type { StopReason } from "../job-queue/queue-options.ts";
import type { JobRecord } from "../job-queue/job-record.ts";
import { apiFailure, type JobFailure } from "../protocol/api-errors.ts";
import { isServing, type ServingState } from "../protocol/host-health.ts";
import type { HealthBody } from "../protocol/job-status.ts";
import type { Job, JobResultBody } from "../protocol/job.ts";
import { errorMessageOf } from "../results/error-text.ts";
import { encodeJson } from "../results/json-encoding.ts";

/** An executor's link to the outside while it runs a job. */
export interface JobExecution {
  /** Aborts when the job is cancelled or times out, or the server closes; later results are discarded. */
  readonly signal: AbortSignal;
  /** Milliseconds that the job waited in the queue. */
  readonly queuedMs: number;
  /** Shows `output` to clients while the job runs. Throws NOT_SERIALIZABLE if JSON would lose something, as does `chunk`. */
  readonly progress: (output: unknown) => void;
  /** Streams one output. */
  readonly chunk: (output: unknown) => void;
  /** What a caller in this process gave the handler besides the input; undefined for all other jobs. */
  readonly attachment?: unknown;
}

/** Runs one job and returns what a worker would post as its result. A throw fails the job with the error's message. */
export type JobExecutor = (job: Job, execution: JobExecution) => Promise<ExecutedBody>;

/** What a worker would post as the result, and what its error means to clients. */
export interface ExecutedBody extends JobResultBody {
  readonly failure?: JobFailure | undefined;
}

/** Receives log lines; `jobId` is that of the job concerned. */
export type LogSink = (level: "info" | "warn" | "error", message: string, jobId?: string) => void;

export interface LocalWorkerOptions {
  readonly queue: JobQueue;
  readonly execute: JobExecutor;
  /** Jobs that run at the same time; a function is asked before each take. */
  readonly concurrency?: number | (() => number);
  readonly workerId?: string;
  readonly log?: LogSink;
  /** Bytes of a result above which a warning is logged, since the platform would refuse it. */
  readonly resultLimitBytes?: number;
}

/** `failed`: loading failed; jobs still reach the executor, which knows the reason. */
export type Readiness = "loading" | "ready" | "failed" | "draining";

const SHUT_DOWN_ERROR = "SHUTTING_DOWN: Cannot finish the job: the server shut down before it was done; send it again";
const RESULT_LIMIT_BYTES = 20 * 1024 * 1024;
/** Time that aborted handlers get to clean up, in milliseconds. */
const ABORT_GRACE_MS = 1000;

/** The worker of the local API server: takes jobs from the queue of its own process. */
export class LocalWorker {
  readonly #options: LocalWorkerOptions;
  readonly #workerId: string;
  readonly #running = new Map<JobRecord, AbortController>();
  readonly #runs = new Set<Promise<void>>();
  #readiness: Readiness = "loading";

  constructor(options: LocalWorkerOptions) {
    this.#options = options;
    this.#workerId = options.workerId ?? "local";
    options.queue.on("queued", () => this.#fill());
    options.queue.on("stop", (record, _workerId, reason) => this.#stop(record, reason));
  }

  get readiness(): Readiness {
    return this.#readiness;
  }

  /** Starts taking jobs; until then they wait. */
  open(readiness: "ready" | "failed"): void {
    if (this.#readiness !== "loading") return;
    this.#readiness = readiness;
    this.#fill();
  }

  /** This worker in this state, as `/health` counts workers. */
  counts(state: ServingState): HealthBody["workers"] {
    const isReady = isServing(state);
    const isRunning = this.#runs.size > 0;
    return {
      idle: isReady && !isRunning ? 1 : 0,
      initializing: state === "loading" ? 1 : 0,
      ready: isReady ? 1 : 0,
      running: isRunning ? 1 : 0,
      throttled: 0,
      unhealthy: state === "failed" ? 1 : 0,
    };
  }

  /**
   * Takes no more jobs, lets running ones finish for up to `graceMs`, then aborts and fails them. A handler that does
   * not obey its signal is left behind.
   */
  async close(graceMs: number): Promise<void> {
    this.#readiness = "draining";
    if (await this.#areRunsOver(graceMs)) return;
    this.#abandon();
    await this.#areRunsOver(ABORT_GRACE_MS);
  }

  async #areRunsOver(limitMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), limitMs);
    });
    const areOver = await Promise.race([Promise.all(this.#runs).then(() => true), limit]);
    clearTimeout(timer);
    return areOver;
  }

  #fill(): void {
    if (this.#readiness !== "ready" && this.#readiness !== "failed") return;
    while (this.#runs.size < this.#slots()) {
      const [record] = this.#options.queue.take(1, this.#workerId);
      if (record === undefined) return;
      const run = this.#run(record);
      this.#runs.add(run);
      // A slot is free only when the handler has really ended, even for a stopped job.
      void run.finally(() => {
        this.#runs.delete(run);
        this.#fill();
      });
    }
  }

  #slots(): number {
    const { concurrency = 1 } = this.#options;
    const wanted = typeof concurrency === "function" ? concurrency() : concurrency;
    return Number.isFinite(wanted) ? Math.max(1, Math.floor(wanted)) : 1;
  }

  async #run(record: JobRecord): Promise<void> {
    const { queue } = this.#options;
    const controller = new AbortController();
    this.#running.set(record, controller);
    const { signal } = controller;
    const result = await this.#execute(record, signal, queue);
    if (this.#running.get(record) === controller) this.#running.delete(record);
    // The signal aborts whenever a run is ended from outside, so this cannot end a later run of a retried job.
    const { failure, ...body } = result;
    if (!signal.aborted) queue.finish(record.id, body, { failure });
  }

  async #execute(record: JobRecord, signal: AbortSignal, queue: JobQueue): Promise<ExecutedBody> {
    try {
      const result = await this.#options.execute(jobOf(record), {
        signal,
        queuedMs: Math.max(0, (record.startedAtMs ?? record.queuedAtMs) - record.queuedAtMs),
        attachment: record.attachment,
        progress: (output) => {
          if (!signal.aborted) queue.reportProgress(record.id, snapshot(output));
        },
        chunk: (output) => {
          if (!signal.aborted) queue.appendChunk(record.id, snapshot(output));
        },
      });
      return this.#checked(result, record.id);
    } catch (error) {
      return { error: errorMessageOf(error) };
    }
  }

  /**
   * The result as JSON would carry it, so that the handler cannot change it afterwards.
   *
   * @throws {RunpodWorkerError} NOT_SERIALIZABLE when JSON would lose something
   */
  #checked(result: ExecutedBody, jobId: string): ExecutedBody {
    const text = encodeJson(result);
    const sizeBytes = Buffer.byteLength(text);
    const limitBytes = this.#options.resultLimitBytes ?? RESULT_LIMIT_BYTES;
    if (sizeBytes > limitBytes) {
      const message = `the platform would refuse this result (got ${sizeBytes} bytes, limit ${limitBytes})`;
      this.#options.log?.("warn", message, jobId);
    }
    return JSON.parse(text) as ExecutedBody;
  }

  #stop(record: JobRecord, reason: StopReason): void {
    this.#running.get(record)?.abort(new DOMException(`The job was stopped: ${reason}`, "AbortError"));
    this.#running.delete(record);
  }

  #abandon(): void {
    for (const [record, controller] of this.#running) {
      this.#options.queue.finish(record.id, { error: SHUT_DOWN_ERROR }, { failure: apiFailure("SHUTTING_DOWN") });
      controller.abort(new DOMException("The server is shutting down", "AbortError"));
    }
    this.#running.clear();
  }
}

function jobOf({ id, request, retries, extraFields }: JobRecord): Job {
  // The client's extra fields are passed through unread.
  const fields: Record<string, unknown> = { ...extraFields, ...request, ...(retries === 0 ? {} : { retries }) };
  return { ...fields, id, input: request.input };
}

/** A copy that the handler can no longer change. */
function snapshot(value: unknown): unknown {
  return JSON.parse(encodeJson(value));
}
