import { executeJob, type JobProgram } from "../jobs/execute-job.ts";
import { createJobContext, secretsOf } from "../jobs/job-context.ts";
import type { PlatformLogger } from "../logging/logger.ts";
import type { Job, JobResultBody } from "../protocol/job.ts";
import { errorMessageOf } from "../results/error-text.ts";
import type { JobExecution, JobExecutor } from "./local-worker.ts";

export interface HandlerExecutorOptions {
  readonly program: JobProgram;
  readonly log: PlatformLogger;
  readonly workerId: string;
  /** Told when a result asks for another worker; a local server goes on, as there is none. */
  readonly onRefresh?: () => void;
}

/** Runs jobs with a handler exactly as the queue worker does: same context, same bodies, same log lines. */
export function createHandlerExecutor(options: HandlerExecutorOptions): JobExecutor {
  return async (job, execution) => {
    const log = options.log.forJob({ jobId: job.id, batchId: job.batchId });
    const release = options.log.redactor.hold(secretsOf(job));
    log.info("Started.");
    try {
      return await executeWith(options, job, execution);
    } finally {
      log.info("Finished.");
      release();
    }
  };
}

async function executeWith(
  { program, log, workerId, onRefresh }: HandlerExecutorOptions,
  job: Job,
  { signal, progress, chunk }: JobExecution,
): Promise<JobResultBody> {
  const jobLog = log.forJob({ jobId: job.id, batchId: job.batchId });
  let isRefreshAsked = false;
  const context = createJobContext(job, {
    workerId,
    signal,
    log: jobLog,
    onProgress: (data) => {
      try {
        progress(data);
      } catch (error) {
        jobLog.warn(`Progress update dropped. | ${errorMessageOf(error)}`);
      }
    },
    onRefresh: () => {
      isRefreshAsked = true;
    },
  });
  const executed = await executeJob(program, job, {
    context,
    isRefreshAsked: () => isRefreshAsked,
    onChunk: chunk,
    workerLog: log,
  });
  if (executed.body.stopPod === true) onRefresh?.();
  return executed.body;
}
