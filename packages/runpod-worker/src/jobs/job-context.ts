import type { FitnessFailure } from "../fitness/fitness-checks.ts";
import type { Logger } from "../logging/logger.ts";
import { isRecord } from "../protocol/is-record.ts";
import type { JobContext } from "./handler.ts";
import type { Job } from "../protocol/job.ts";

export interface JobContextParts {
  readonly workerId: string;
  readonly queuedMs: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly attachment?: unknown;
  readonly onProgress: (data: unknown) => void;
  readonly onRefresh: () => void;
  readonly whenAnswered: (work: () => unknown) => void;
  readonly onUnhealthy: (failure: FitnessFailure) => void;
}

/** Builds the context of one job; attempt and deadline come from the platform. */
export function createJobContext(job: Job, parts: JobContextParts): JobContext {
  const retries = typeof job.retries === "number" && job.retries > 0 ? job.retries : 0;
  const timeoutMs = job.policy?.executionTimeout;
  return {
    jobId: job.id,
    workerId: parts.workerId,
    attempt: retries + 1,
    queuedMs: parts.queuedMs,
    deadlineAtMs: typeof timeoutMs === "number" && timeoutMs > 0 ? Date.now() + timeoutMs : undefined,
    signal: parts.signal,
    log: parts.log,
    progress: parts.onProgress,
    refreshWorker: parts.onRefresh,
    whenAnswered: parts.whenAnswered,
    attachment: parts.attachment,
    reportUnhealthy: (name, thrown) => parts.onUnhealthy({ name, thrown }),
  };
}

/** The secrets in a job; log lines and error texts must not repeat them (W80). */
export function secretsOf(job: Job): readonly (string | undefined)[] {
  const { accessId, accessSecret } = isRecord(job.s3Config) ? job.s3Config : {};
  return [accessId, accessSecret].map((secret) => (typeof secret === "string" ? secret : undefined));
}
