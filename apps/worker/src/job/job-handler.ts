import { HiggsError, toHiggsError } from "@higgs-worker/base";
import type { SpeechProgress } from "@higgs-worker/higgs-audio";
import type { JobError } from "runpod-worker";
import { estimateRemainingSeconds } from "./estimate-remaining.ts";
import { jobErrorOf } from "./job-error.ts";
import type { JobOutput } from "./job-output.ts";
import { parseJob, type ReceivedJob, type SpeechJob } from "./parse-input.ts";
import { runSpeechJob, type SpeechJobOptions, type SpeechJobServices } from "./run-speech-job.ts";
import { type StreamItem, streamSpeechJob } from "./stream-job.ts";

/** What the platform's runtime gives beside the job. */
export interface JobHandlerContext {
  readonly signal: AbortSignal;
  /** Moment (milliseconds since the epoch) at which the job's time is over, where its policy says so. */
  readonly deadlineAtMs?: number | undefined;
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

/** Clients poll about once a second; more updates than this would only be dropped. */
const PROGRESS_MS = 1_000;

/**
 * Turns the speech job into a handler: it gives the output, or with `stream` a generator of audio that returns the output.
 * A failure is thrown as a `JobError` that says what it means to clients.
 */
export function createJobHandler(services: JobHandlerServices) {
  return (
    received: ReceivedJob,
    context: JobHandlerContext,
  ): Promise<JobOutput> | AsyncGenerator<StreamItem, JobOutput> => {
    let job: SpeechJob;
    try {
      job = parseJob(received, services.config);
    } catch (error) {
      return Promise.reject(failure(error, received, services));
    }
    return job.input.stream ? stream(job, services, context) : answer(job, services, context);
  };
}

async function answer(job: SpeechJob, services: JobHandlerServices, context: JobHandlerContext): Promise<JobOutput> {
  const deadline = deadlineOf(context);
  try {
    const { output } = await runSpeechJob(job, services, jobOptions(job, context, deadline));
    return output;
  } catch (error) {
    throw failure(deadline.aborted ? outOfTime(error, context) : error, job, services);
  }
}

async function* stream(
  job: SpeechJob,
  services: JobHandlerServices,
  context: JobHandlerContext,
): AsyncGenerator<StreamItem, JobOutput> {
  const deadline = deadlineOf(context);
  try {
    const { output } = yield* streamSpeechJob(job, services, jobOptions(job, context, deadline));
    return output;
  } catch (error) {
    throw failure(deadline.aborted ? outOfTime(error, context) : error, job, services);
  }
}

function failure(error: unknown, job: Pick<SpeechJob, "id">, { logger, onFailure }: JobHandlerServices): JobError {
  const higgsError = toHiggsError(error);
  logger.error("job failed", { jobId: job.id, code: higgsError.code, reason: higgsError.message });
  if (higgsError.code === "INTERNAL") logger.debug("stack", { jobId: job.id, stack: higgsError.stack });
  onFailure?.(higgsError);
  return jobErrorOf(higgsError);
}

/** Aborts when the job's time is over; the platform's own word for that may come late, or not at all. */
function deadlineOf({ deadlineAtMs }: JobHandlerContext): AbortSignal {
  if (deadlineAtMs === undefined) return new AbortController().signal;
  return AbortSignal.timeout(Math.min(LONGEST_TIMEOUT_MS, Math.max(0, Math.ceil(deadlineAtMs - Date.now()))));
}

/** The longest delay that a timer takes. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** What the end of its time makes of a job: nothing, if it had failed or been cancelled otherwise. */
function outOfTime(error: unknown, { signal }: JobHandlerContext): unknown {
  if (signal.aborted || toHiggsError(error).code !== "CANCELLED") return error;
  const reason = "its time ran out (policy.executionTimeout)";
  return new HiggsError("DEADLINE_EXCEEDED", "finish the job", reason, { cause: error });
}

function jobOptions(
  job: SpeechJob,
  { signal, progress }: JobHandlerContext,
  deadline: AbortSignal,
): Pick<SpeechJobOptions, "signal" | "onProgress"> {
  const report = throttled((item) => progress(describe(item, job.input.transcript)));
  return { signal: AbortSignal.any([signal, deadline]), onProgress: report };
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
