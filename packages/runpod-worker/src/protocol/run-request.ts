/** What a client may ask of the platform for one job (spec platform §4.6). */
export interface ExecutionPolicy {
  /** Milliseconds from the take to TIMED_OUT. */
  readonly executionTimeout?: number;
  /** Milliseconds from the submission until the job is deleted, in any state. */
  readonly ttl?: number;
  /** True for a job that does not make the platform start workers. */
  readonly lowPriority?: boolean;
}

/** The body of `/run` and `/runsync` (spec platform §5.4). */
export interface RunRequest {
  /** Any JSON value. */
  readonly input: unknown;
  readonly webhook?: string;
  readonly policy?: ExecutionPolicy;
  /** Passed to the worker unchanged. */
  readonly s3Config?: Readonly<Record<string, unknown>>;
}
