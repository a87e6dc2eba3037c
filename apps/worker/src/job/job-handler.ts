import { type HiggsError, toHiggsError } from "@higgs-worker/base";
import type { SpeechProgress } from "@higgs-worker/higgs-audio";
import { estimateRemainingSeconds } from "./estimate-remaining.ts";
import type { JobOutput } from "./job-output.ts";
import { parseJob, type ReceivedJob, type SpeechJob } from "./parse-input.ts";
import { runSpeechJob, type SpeechJobOptions, type SpeechJobServices } from "./run-speech-job.ts";
import { type StreamItem, streamSpeechJob } from "./stream-job.ts";

/** What the platform's runtime gives beside the job. */
export interface JobHandlerContext {
  readonly signal: AbortSignal;
  readonly progress: (data: unknown) => void;
}

export interface JobHandlerServices extends SpeechJobServices {
  /** Told why a job failed. */
  readonly onFailure?: (error: HiggsError) => void;
}

/** What clients read as the job's `output` while it runs. */
export interface JobProgress {
  readonly chunk: number;
  readonly chunks: number;
  readonly audio_seconds: number;
  readonly elapsed_ms: number;
  /** An estimate of the work that is left. */
  readonly remaining_seconds: number | null;
}

/** A failed job: a string that begins with its code. */
export interface JobFailure {
  readonly error: string;
}

export type JobResult = JobOutput | JobFailure;

/** Clients poll about once a second; more updates than this would only be dropped. */
const PROGRESS_MS = 1_000;

/**
 * Turns the speech job into a handler: it gives the output, or with `stream` a generator of audio that returns the output.
 * A failure becomes `{ error }`.
 */
export function createJobHandler(services: JobHandlerServices) {
  return (
    received: ReceivedJob,
    context: JobHandlerContext,
  ): Promise<JobResult> | AsyncGenerator<StreamItem, JobResult> => {
    let job: SpeechJob;
    try {
      job = parseJob(received, services.config);
    } catch (error) {
      return Promise.resolve(failure(error, received, services));
    }
    return job.input.stream ? stream(job, services, context) : answer(job, services, context);
  };
}

async function answer(job: SpeechJob, services: JobHandlerServices, context: JobHandlerContext): Promise<JobResult> {
  try {
    const { output } = await runSpeechJob(job, services, jobOptions(job, context));
    return output;
  } catch (error) {
    return failure(error, job, services);
  }
}

async function* stream(
  job: SpeechJob,
  services: JobHandlerServices,
  context: JobHandlerContext,
): AsyncGenerator<StreamItem, JobResult> {
  try {
    const { output } = yield* streamSpeechJob(job, services, jobOptions(job, context));
    return output;
  } catch (error) {
    return failure(error, job, services);
  }
}

function failure(error: unknown, job: Pick<SpeechJob, "id">, { logger, onFailure }: JobHandlerServices): JobFailure {
  const higgsError = toHiggsError(error);
  logger.error("job failed", { jobId: job.id, code: higgsError.code, reason: higgsError.message });
  if (higgsError.code === "INTERNAL") logger.debug("stack", { jobId: job.id, stack: higgsError.stack });
  onFailure?.(higgsError);
  return { error: higgsError.toString() };
}

function jobOptions(
  job: SpeechJob,
  { signal, progress }: JobHandlerContext,
): Pick<SpeechJobOptions, "signal" | "onProgress"> {
  return { signal, onProgress: throttled((item) => progress(describe(item, job.input.transcript))) };
}

function describe(item: SpeechProgress, transcript: string): JobProgress {
  const remaining = estimateRemainingSeconds(item, transcript);
  return {
    chunk: item.chunkIndex + 1,
    chunks: item.chunkCount,
    audio_seconds: Number(item.audioSeconds.toFixed(2)),
    elapsed_ms: Math.round(item.elapsedMs),
    remaining_seconds: remaining === null ? null : Number(remaining.toFixed(1)),
  };
}

function throttled(report: (progress: SpeechProgress) => void): (progress: SpeechProgress) => void {
  let reportedMs = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const nowMs = performance.now();
    if (nowMs - reportedMs < PROGRESS_MS) return;
    reportedMs = nowMs;
    report(progress);
  };
}
