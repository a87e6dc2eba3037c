import { errorOfJob } from "./http/api-error.ts";
import { HttpClient, type HttpClientOptions, type RequestOptions } from "./http/http-client.ts";
import type { JobInput } from "./job-input.ts";
import type { JobOutput, JobProgress, StreamItem } from "./job-output.ts";

export interface RunPodEndpointOptions extends Omit<HttpClientOptions, "baseUrl"> {
  readonly endpointId: string;
  /** RunPod's own unless given; `higgs serve` answers on the same routes. */
  readonly baseUrl?: string | undefined;
}

/** Where a request's bucket is, instead of the worker's own. */
export interface S3Config {
  readonly accessId: string;
  readonly accessSecret: string;
  readonly bucketName?: string;
  readonly endpointUrl?: string;
}

export interface JobOptions {
  /** Times in milliseconds. */
  readonly policy?: { readonly executionTimeout?: number; readonly ttl?: number; readonly lowPriority?: boolean };
  /** Called by the platform with the job's status when it ends. */
  readonly webhook?: string;
  readonly s3Config?: S3Config;
}

export type JobStatus = "IN_QUEUE" | "IN_PROGRESS" | "COMPLETED" | "FAILED" | "CANCELLED" | "TIMED_OUT";

/** A job as the platform shows it. */
export interface JobState {
  readonly id: string;
  readonly status: JobStatus;
  /** The result of a finished job, the last progress of one that runs. */
  readonly output?: JobOutput | JobProgress;
  readonly error?: string;
  /** Time in the queue, in milliseconds. */
  readonly delayTime?: number;
  /** Time in the worker, in milliseconds. */
  readonly executionTime?: number;
  readonly workerId?: string;
}

const RUNPOD_URL = "https://api.runpod.ai/v2";
/** The longest the platform holds a request for a job's result, in milliseconds (spec platform §5.4). */
const HOLD_MS = 90_000;

const FINAL: ReadonlySet<JobStatus> = new Set(["COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"]);

/** Speech through a RunPod queue endpoint. */
export class RunPodEndpoint {
  readonly #http: HttpClient;
  readonly #path: string;

  constructor({ endpointId, baseUrl = RUNPOD_URL, ...options }: RunPodEndpointOptions) {
    this.#http = new HttpClient({ ...options, baseUrl });
    this.#path = `/${encodeURIComponent(endpointId)}`;
  }

  /**
   * Queues a job and waits for its result. A caller who aborts cancels the job.
   *
   * @throws {HiggsApiError} when the job is refused or does not complete
   */
  async speak(input: JobInput, options: JobOptions & RequestOptions = {}): Promise<JobOutput> {
    const { id } = await this.run(input, options);
    return await this.result(id, options);
  }

  /** Queues a job and does not wait for it. */
  async run(input: JobInput, options: JobOptions & RequestOptions = {}): Promise<JobState> {
    const { signal, ...rest } = options;
    return await this.#http.json({ method: "POST", path: `${this.#path}/run`, body: { input, ...rest }, signal });
  }

  /**
   * Waits until a job has ended. A caller who aborts cancels the job.
   *
   * @throws {HiggsApiError} when the job does not complete
   */
  async result(jobId: string, { signal }: RequestOptions = {}): Promise<JobOutput> {
    const path = `${this.#path}/status-sync/${encodeURIComponent(jobId)}?wait=${HOLD_MS}`;
    try {
      for (;;) {
        const state = await this.#http.json<JobState>({ method: "GET", path, signal });
        if (FINAL.has(state.status)) return outputOf(state);
      }
    } catch (error) {
      if (signal?.aborted === true) await this.#abandon(jobId);
      throw error;
    }
  }

  async status(jobId: string, { signal }: RequestOptions = {}): Promise<JobState> {
    const path = `${this.#path}/status/${encodeURIComponent(jobId)}`;
    return await this.#http.json({ method: "GET", path, signal });
  }

  /**
   * Queues a job and yields its audio while it is made, then its result. Leaving the loop early cancels the job.
   *
   * @throws {HiggsApiError} when the job is refused or does not complete
   */
  async *stream(input: JobInput, options: JobOptions & RequestOptions = {}): AsyncGenerator<StreamItem> {
    const { id } = await this.run({ ...input, stream: true }, options);
    const path = `${this.#path}/stream/${encodeURIComponent(id)}`;
    let isOver = false;
    try {
      while (!isOver) {
        // An answer's items are gone once it was sent, so a lost one cannot be asked for again.
        const request = { method: "GET", path, signal: options.signal, canRepeat: false } as const;
        const answer = await this.#http.json<{ status: JobStatus; stream: { output: StreamItem }[] }>(request);
        isOver = FINAL.has(answer.status);
        for (const { output } of answer.stream) yield output;
      }
      const state = await this.status(id, options);
      if (state.status !== "COMPLETED") throw failureOf(state);
    } finally {
      if (!isOver) await this.#abandon(id);
    }
  }

  async cancel(jobId: string, { signal }: RequestOptions = {}): Promise<JobState> {
    const path = `${this.#path}/cancel/${encodeURIComponent(jobId)}`;
    return await this.#http.json({ method: "POST", path, body: {}, signal });
  }

  /** Cancels a job that nobody waits for any more; the caller's own error matters more than a failure of this. */
  async #abandon(jobId: string): Promise<void> {
    await this.cancel(jobId).catch(() => undefined);
  }
}

function outputOf(state: JobState): JobOutput {
  if (state.status !== "COMPLETED") throw failureOf(state);
  return state.output as JobOutput;
}

function failureOf({ id, status, error }: JobState): Error {
  return errorOfJob(id, status, error ?? null);
}
