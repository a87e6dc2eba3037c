import { toHiggsError } from "@higgs-worker/errors";
import type { SpeechProgress } from "@higgs-worker/higgs-audio";
import type { JobOutput } from "./job-output.ts";
import { runSpeechJob, type SpeechJob, type SpeechJobServices } from "./run-speech-job.ts";

/** What the platform's runtime gives beside the job. */
export interface JobHandlerContext {
  readonly signal: AbortSignal;
  progress(data: unknown): void;
}

/** What clients read as the job's `output` while it runs. */
export interface JobProgress {
  readonly chunk: number;
  readonly chunks: number;
  readonly audio_seconds: number;
  readonly elapsed_ms: number;
}

/** Clients poll about once a second; more updates than this would only be dropped. */
const PROGRESS_MS = 1_000;

/** Turns the speech job into a handler: a failure becomes `{ error }`, a string that begins with its code. */
export function createJobHandler(services: SpeechJobServices) {
  return async (job: SpeechJob, context: JobHandlerContext): Promise<JobOutput | { readonly error: string }> => {
    try {
      const { output } = await runSpeechJob(job, services, {
        signal: context.signal,
        onProgress: throttled((progress) => context.progress(progress)),
      });
      return output;
    } catch (error) {
      const higgsError = toHiggsError(error);
      services.logger.error("job failed", { jobId: job.id, code: higgsError.code, reason: higgsError.message });
      if (higgsError.code === "INTERNAL") services.logger.debug("stack", { jobId: job.id, stack: higgsError.stack });
      return { error: higgsError.toString() };
    }
  };
}

function throttled(report: (progress: JobProgress) => void): (progress: SpeechProgress) => void {
  let reportedMs = Number.NEGATIVE_INFINITY;
  return ({ chunkIndex, chunkCount, audioSeconds, elapsedMs }) => {
    const nowMs = performance.now();
    if (nowMs - reportedMs < PROGRESS_MS) return;
    reportedMs = nowMs;
    report({
      chunk: chunkIndex + 1,
      chunks: chunkCount,
      audio_seconds: Number(audioSeconds.toFixed(2)),
      elapsed_ms: Math.round(elapsedMs),
    });
  };
}
