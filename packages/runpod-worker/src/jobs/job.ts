/** Storage settings that a client may send along with a job; passed through for the handler's own use. */
export interface JobS3Config {
  readonly accessId?: string | undefined;
  readonly accessSecret?: string | undefined;
  readonly bucketName?: string | undefined;
  readonly endpointUrl?: string | undefined;
  readonly objectPath?: string | undefined;
}

/** Limits that a client may set; the platform enforces them. Times in milliseconds. */
export interface JobPolicy {
  readonly executionTimeout?: number | undefined;
  readonly ttl?: number | undefined;
  readonly lowPriority?: boolean | undefined;
}

/**
 * One job as taken from the queue. Only `id` and `input` are certain; unknown fields survive untouched.
 * Source: specification 4.1.
 */
export interface Job<Input = unknown> {
  readonly id: string;
  readonly input: Input;
  readonly webhook?: string | undefined;
  readonly batchId?: string | undefined;
  /** Times this job was delivered before, where the platform says so. */
  readonly retries?: number | undefined;
  readonly policy?: JobPolicy | undefined;
  readonly s3Config?: JobS3Config | undefined;
  readonly [field: string]: unknown;
}

/** True for a non-null object that is not an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
