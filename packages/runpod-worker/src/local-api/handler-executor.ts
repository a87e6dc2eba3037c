import type { FitnessFailure } from "../fitness/fitness-checks.ts";
import { AnsweredWork } from "../jobs/answered-work.ts";
import { executeJob, type JobProgram } from "../jobs/execute-job.ts";
import type { Handler } from "../jobs/handler.ts";
import { createJobContext, secretsOf } from "../jobs/job-context.ts";
import type { StandardSchema } from "../jobs/standard-schema.ts";
import { type LogBinding, type Logger, logRoutine } from "../logging/logger.ts";
import { Redactor } from "../logging/redactor.ts";
import type { Job } from "../protocol/job.ts";
import { errorMessageOf } from "../results/error-text.ts";
import type { ExecutedBody, JobExecution, JobExecutor } from "./local-worker.ts";

/** A handler and how the local API runs it; only the handler is required. */
export interface HandlerExecutorOptions<Input = unknown, Output = unknown> {
  readonly handler: Handler<Input, Output>;
  /** Checks and converts each job's input before the handler sees it; any Standard Schema validator. */
  readonly inputSchema?: StandardSchema<Input> | undefined;
  /** True = the result of a streamed job holds all its chunks. Default false. */
  readonly returnAggregateStream?: boolean;
  /** Default `local`. */
  readonly workerId?: string;
  /** The logger that a job's handler gets. Default: one that writes nothing. */
  readonly logFor?: (job: LogBinding) => Logger;
}

const SILENT: Logger = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Makes an executor from a handler, with the same jobs, context and rules for results as on a queue. */
export function createHandlerExecutor<Input = unknown, Output = unknown>(
  options: HandlerExecutorOptions<Input, Output>,
): JobExecutor {
  const { workerId = "local", logFor = () => SILENT } = options;
  const redactor = new Redactor();
  const program: JobProgram = {
    // Without a schema, the caller guarantees the type of the input.
    handler: options.handler as JobProgram["handler"],
    inputSchema: options.inputSchema,
    isAggregating: options.returnAggregateStream ?? false,
    origin: { hostname: "unknown", workerId, redactor },
  };
  return createProgramExecutor({ program, workerId, logFor, workerLog: SILENT });
}

export interface ProgramExecutorOptions {
  readonly program: JobProgram;
  readonly workerId: string;
  readonly logFor: (job: LogBinding) => Logger;
  /** Gets lines that belong to no job. */
  readonly workerLog: Logger;
  /** Called when the handler reports this worker unhealthy. Default: nothing happens. */
  readonly onUnhealthy?: ((failure: FitnessFailure) => void) | undefined;
}

/** Runs jobs exactly as the queue worker does: same context, same bodies, same log lines. */
export function createProgramExecutor(options: ProgramExecutorOptions): JobExecutor {
  return async (job, execution) => {
    const log = options.logFor({ jobId: job.id, batchId: job.batchId });
    const release = options.program.origin.redactor.hold(secretsOf(job));
    logRoutine(log, "info", "Started.");
    try {
      return await executeWith(options, job, log, execution);
    } finally {
      logRoutine(log, "info", "Finished.");
      release();
    }
  };
}

async function executeWith(
  { program, workerId, workerLog, onUnhealthy = () => {} }: ProgramExecutorOptions,
  job: Job,
  log: Logger,
  { signal, queuedMs, progress, chunk, attachment }: JobExecution,
): Promise<ExecutedBody> {
  let isRefreshAsked = false;
  const answeredWork = new AnsweredWork();
  const context = createJobContext(job, {
    workerId,
    queuedMs,
    signal,
    log,
    attachment,
    onProgress: (data) => {
      try {
        progress(data);
      } catch (error) {
        log.warn(`Progress update dropped. | ${errorMessageOf(error)}`);
      }
    },
    onRefresh: () => {
      isRefreshAsked = true;
    },
    whenAnswered: (work) => answeredWork.add(work),
    onUnhealthy,
  });
  const { body, failure } = await executeJob(program, job, {
    context,
    isRefreshAsked: () => isRefreshAsked,
    onChunk: chunk,
    workerLog,
  });
  // The queue of this process has what is returned here.
  await answeredWork.run(log);
  if (body.stopPod === true) log.info("The result asks for another worker; a local server goes on.");
  return { ...body, failure };
}
