import type { ExecutionPolicy } from "./run-request.ts";

/** S3 credentials that a client passes through to the worker (spec platform §4.1). */
export interface S3Config {
  readonly accessId: string;
  readonly accessSecret: string;
  readonly bucketName: string;
  readonly endpointUrl: string;
  readonly objectPath?: string;
}

/** A job as a worker takes it: only `id` and `input` are certain; unknown fields are kept (spec platform §4.1). */
export interface Job<Input = unknown> {
  readonly id: string;
  readonly input: Input;
  readonly webhook?: string;
  readonly batchId?: string;
  /** How often the platform delivered this job before, if it says so. */
  readonly retries?: number;
  readonly policy?: ExecutionPolicy;
  readonly s3Config?: S3Config;
  readonly [field: string]: unknown;
}

/** The body of a post to job-done that ends a job (spec platform §4.2 and §4.3). */
export interface JobResultBody {
  readonly output?: unknown;
  /** Always a string from our workers; other workers may send anything, and the platform then shows COMPLETED. */
  readonly error?: unknown;
  /** Asks the platform to stop this container after the post. */
  readonly stopPod?: boolean;
}
