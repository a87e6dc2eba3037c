import { setImmediate as nextTurn } from "node:timers/promises";
import { JobError, RunpodWorkerError } from "../errors.ts";
import { type Logger, logRoutine } from "../logging/logger.ts";
import type { JobFailure } from "../protocol/api-errors.ts";
import {
  codedErrorText,
  type ErrorOrigin,
  errorMessageOf,
  isThrown,
  readSafely,
  streamErrorText,
  thrownErrorText,
} from "../results/error-text.ts";
import {
  bodyOfError,
  bodyOfReturned,
  bodyOfStream,
  errorIn,
  type ResultBody,
  withStopPod,
} from "../results/result-body.ts";
import { type Handler, type JobContext, streamOf } from "./handler.ts";
import type { Job } from "../protocol/job.ts";
import { type StandardSchema, validateInput } from "./standard-schema.ts";

/** A handler and how to run it; the same for the queue worker, the local run and the local API. */
export interface JobProgram {
  readonly handler: Handler<never>;
  readonly inputSchema: StandardSchema | undefined;
  /** True = the final body of a streamed job holds all its chunks. */
  readonly isAggregating: boolean;
  readonly origin: ErrorOrigin;
}

/** Where one running job sends what it produces before its result. */
export interface JobOutlets {
  readonly context: JobContext;
  /** True once the handler asked for a refresh through its context. */
  readonly isRefreshAsked: () => boolean;
  /** Accepts one chunk, in order; the generator is pulled again when the returned promise resolves. */
  readonly onChunk: (chunk: unknown) => void | Promise<void>;
  /** Log without a job id, for the error JSON (spec platform §6). */
  readonly workerLog: Logger;
}

/** How a job ended. */
export interface ExecutedJob {
  readonly body: ResultBody;
  readonly isStream: boolean;
  /** What the error of the body means to clients, if the handler said so. */
  readonly failure?: JobFailure | undefined;
}

/**
 * Runs the handler and turns any outcome into the body of the final post (spec platform §4.2 to §4.4). Never
 * rejects. When the job's signal has aborted, the caller discards the result.
 */
export async function executeJob(program: JobProgram, job: Job, outlets: JobOutlets): Promise<ExecutedJob> {
  let isStream = false;
  let executed: ExecutedJob;
  try {
    const returned: unknown = await callHandler(program, job, outlets.context);
    const stream = returned instanceof InvalidInput ? undefined : streamOf(returned);
    isStream = stream !== undefined;
    executed = await (stream === undefined ? bodyOfValue(returned) : drainStream(stream, program, outlets));
  } catch (thrown) {
    executed = bodyOfThrown(thrown, isStream, program.origin, outlets);
  }
  return outlets.isRefreshAsked() ? { ...executed, body: withStopPod(executed.body) } : executed;
}

/** Marks an input that the schema refused, so that its message becomes the job's error unchanged. */
class InvalidInput {
  readonly error: string;

  constructor(error: string) {
    this.error = error;
  }
}

async function callHandler(program: JobProgram, job: Job, context: JobContext): Promise<unknown> {
  const { handler, inputSchema } = program;
  // The schema, or the caller if there is none, guarantees the type of the input.
  const call = handler as Handler;
  if (inputSchema === undefined) return call(job, context);
  const validated = await validateInput(inputSchema, job.input);
  if ("error" in validated) return new InvalidInput(validated.error);
  return call({ ...job, input: validated.value }, context);
}

function bodyOfValue(returned: unknown): ExecutedJob {
  const body = returned instanceof InvalidInput ? bodyOfError(returned.error) : bodyOfReturned(returned);
  return { body, isStream: false };
}

async function drainStream(
  stream: AsyncIterable<unknown> | Iterable<unknown>,
  program: JobProgram,
  outlets: JobOutlets,
): Promise<ExecutedJob> {
  const kept: unknown[] = [];
  const { signal } = outlets.context;
  const isSynchronous = !(Symbol.asyncIterator in stream);
  const ended: { returned?: unknown } = {};
  for await (const chunk of keepReturned(stream, ended)) {
    if (signal.aborted) break;
    const error = errorIn(chunk);
    if (error !== undefined) return { body: bodyOfError(error), isStream: true };
    if (program.isAggregating) kept.push(chunk);
    await outlets.onChunk(chunk);
    // A generator that never awaits would otherwise block signals, posts and takes.
    if (isSynchronous) await nextTurn();
    if (signal.aborted) break;
  }
  const body = ended.returned === undefined ? bodyOfStream(kept) : bodyOfReturned(ended.returned);
  return { body, isStream: true };
}

/** The same chunks; keeps what a generator returns after the last one. */
async function* keepReturned(
  stream: AsyncIterable<unknown> | Iterable<unknown>,
  ended: { returned?: unknown },
): AsyncGenerator {
  ended.returned = yield* stream;
}

function bodyOfThrown(thrown: unknown, isStream: boolean, origin: ErrorOrigin, outlets: JobOutlets): ExecutedJob {
  const { context, workerLog } = outlets;
  const isRefreshing = isThrown(thrown, JobError) && readSafely(() => thrown.refreshWorker, false);
  const failure = failureIn(thrown);
  const text = textOfThrown(thrown, isStream, origin, failure);
  if (context.signal.aborted) {
    // A handler that obeys its signal throws; that is expected.
    context.log.debug(`Handler ended after its job was stopped. | ${errorMessageOf(thrown)}`);
  } else if (isStream || failure !== undefined) {
    logRoutine(context.log, "error", origin.redactor.redact(errorMessageOf(thrown)));
  } else {
    context.log.error("Captured Handler Exception");
    workerLog.error(text);
  }
  const body = bodyOfError(text);
  return { body: isRefreshing ? withStopPod(body) : body, isStream, failure };
}

/** A copy of what a thrown JobError says about itself, safe to read from here on. */
function failureIn(thrown: unknown): JobFailure | undefined {
  if (!isThrown(thrown, JobError)) return undefined;
  const { code, httpStatus, isRetryable } = readSafely(() => thrown.failure, undefined) ?? {};
  const isStatus = Number.isInteger(httpStatus) && httpStatus !== undefined && httpStatus >= 400 && httpStatus <= 599;
  return typeof code === "string" && isStatus ? { code, httpStatus, isRetryable: isRetryable === true } : undefined;
}

function textOfThrown(
  thrown: unknown,
  isStream: boolean,
  origin: ErrorOrigin,
  failure: JobFailure | undefined,
): string {
  if (failure !== undefined) return codedErrorText(failure.code, thrown, origin);
  // Our own refusals (a chunk that is not JSON, a broken stream) need no traceback.
  if (isThrown(thrown, RunpodWorkerError)) return errorMessageOf(thrown);
  return isStream ? streamErrorText(thrown, origin) : thrownErrorText(thrown, origin);
}

/** The reason that a job's signal aborts with. */
export function jobStopped(why: string): RunpodWorkerError {
  return new RunpodWorkerError("JOB_STOPPED", `Cannot finish the job: ${why}`);
}
