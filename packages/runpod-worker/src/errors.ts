import type { JobFailure } from "./protocol/api-errors.ts";

/** Closed set of reasons why this package itself fails. */
export type RunpodWorkerErrorCode =
  /** A start option, flag or environment value cannot be used. */
  | "INVALID_OPTION"
  /** A value cannot be written as JSON without loss. */
  | "NOT_SERIALIZABLE"
  /** The worker state machine was asked for an illegal transition. */
  | "INVALID_TRANSITION"
  /** A core loop or the heartbeat ended while the worker was running. */
  | "LOOP_ENDED"
  /** A running job was ended by the platform, by shutdown or by a fault of the process. */
  | "JOB_STOPPED"
  /** A streamed chunk could not be posted, so a client would see a gap. */
  | "STREAM_LOST";

/** Error of the runtime itself, with a code that callers may switch on. Handler errors are never wrapped in it. */
export class RunpodWorkerError extends Error {
  override readonly name = "RunpodWorkerError";
  readonly code: RunpodWorkerErrorCode;

  constructor(code: RunpodWorkerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface JobErrorOptions extends ErrorOptions {
  /** True = the worker also stops after this job. */
  readonly refreshWorker?: boolean | undefined;
  /** What the failure means to clients. The job's error is then `code: message`, without type, stack and host. */
  readonly failure?: JobFailure | undefined;
}

/**
 * Thrown by a handler to fail its job; with `refreshWorker` the worker also stops after this job.
 * Source: spec platform §10.27 (the Python SDK offers this only to handlers that return `error`).
 */
export class JobError extends Error {
  override readonly name: string = "JobError";
  readonly refreshWorker: boolean;
  readonly failure: JobFailure | undefined;

  constructor(message: string, options: JobErrorOptions = {}) {
    super(message, options);
    this.refreshWorker = options.refreshWorker ?? false;
    this.failure = options.failure;
  }
}
