import { isUtf8 } from "node:buffer";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AnsweredWork } from "../jobs/answered-work.ts";
import { executeJob, type ExecutedJob, type JobProgram, jobStopped } from "../jobs/execute-job.ts";
import { createJobContext, secretsOf } from "../jobs/job-context.ts";
import { isRecord } from "../protocol/is-record.ts";
import type { Job } from "../protocol/job.ts";
import { logRoutine, type PlatformLogger } from "../logging/logger.ts";
import type { ProcessSurface } from "../process-surface.ts";
import { errorMessageOf } from "../results/error-text.ts";
import { encodeJson } from "../results/json-encoding.ts";

/** How a local run ended, for a caller that prints it in its own way. */
export interface LocalResult {
  readonly output: unknown;
  readonly error: string | null;
  /** False if the job could not be read, so that the handler was not called. */
  readonly hasRun: boolean;
}

export interface LocalRunOptions {
  readonly program: JobProgram;
  readonly surface: ProcessSurface;
  readonly log: PlatformLogger;
  readonly workerId: string;
  /** JSON text of the job; absent = `test_input.json` in the working directory. */
  readonly testInput: string | undefined;
  readonly onResult: ((result: LocalResult) => void) | undefined;
}

const TEST_INPUT_FILE = "test_input.json";
const DEFAULT_JOB_ID = "local_test";

/**
 * Runs one job without any platform and returns the exit code: 0 when the job succeeded, else 1.
 * Source: spec platform §5.2 (W01 to W03); generators are iterated and their chunks printed, which the SDK fails to do.
 */
export async function runLocally(options: LocalRunOptions): Promise<number> {
  const job = await readJob(options);
  if (job === undefined) return 1;
  const release = options.log.redactor.hold(secretsOf(job));
  const abort = new AbortController();
  const unsubscribe = options.surface.onShutdownSignal((signal) => {
    if (abort.signal.aborted) options.surface.exit(1);
    options.log.info(`${signal} received. Shutting down.`);
    abort.abort(jobStopped(`${signal} was received`));
  });
  try {
    const executed = await execute(job, options, abort.signal);
    return report(job, executed, options);
  } finally {
    unsubscribe();
    release();
  }
}

async function readJob(options: LocalRunOptions): Promise<Job | undefined> {
  const { testInput, surface, log } = options;
  if (testInput !== undefined) {
    log.info("test_input set, using test_input as job input.");
    return parseJob(testInput, "--test_input", options);
  }
  let bytes: Buffer;
  try {
    bytes = await readTestInput(join(surface.workingDirectory, TEST_INPUT_FILE));
  } catch (error) {
    if (isRecord(error) && error["code"] === "ENOENT") log.warn(`${TEST_INPUT_FILE} not found, exiting.`);
    else log.error(`Cannot read ${TEST_INPUT_FILE}: ${errorMessageOf(error)}`);
    return refuse(`Cannot read ${TEST_INPUT_FILE}: ${errorMessageOf(error)}`, options);
  }
  log.info(`Using ${TEST_INPUT_FILE} as job input.`);
  if (!isUtf8(bytes)) {
    log.error(`Cannot read ${TEST_INPUT_FILE}: it is not valid UTF-8`);
    return refuse(`Cannot read ${TEST_INPUT_FILE}: it is not valid UTF-8`, options);
  }
  return parseJob(bytes.toString("utf8").replace(/^\ufeff/, ""), TEST_INPUT_FILE, options);
}

/** The file's bytes. A file that is not regular (a pipe would never end) or too large for a job is an error. */
async function readTestInput(path: string): Promise<Buffer> {
  const status = await stat(path);
  if (!status.isFile()) throw new Error("it is not a regular file");
  if (status.size > MAX_TEST_INPUT_BYTES) {
    throw new Error(`it is too large (got ${status.size} bytes, limit ${MAX_TEST_INPUT_BYTES})`);
  }
  return readFile(path);
}

/** A reference clip of 32 MB in base64, and some room. */
const MAX_TEST_INPUT_BYTES = 64 * 1024 * 1024;

function parseJob(text: string, source: string, options: LocalRunOptions): Job | undefined {
  const { log } = options;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message quotes the input, which may be private.
    log.error(`Cannot read the job of ${source}: it is not valid JSON`);
    return refuse(`Cannot read the job of ${source}: it is not valid JSON`, options);
  }
  if (!isRecord(parsed) || parsed["input"] === undefined || parsed["input"] === null) {
    log.error("Job has no input parameter. Unable to run.");
    return refuse(`Cannot read the job of ${source}: it has no input`, options);
  }
  const id = typeof parsed["id"] === "string" && parsed["id"] !== "" ? parsed["id"] : DEFAULT_JOB_ID;
  return { ...parsed, id, input: parsed["input"] };
}

/** Tells the caller why no job was read. */
function refuse(error: string, { onResult }: LocalRunOptions): undefined {
  onResult?.({ output: null, error, hasRun: false });
}

async function execute(job: Job, options: LocalRunOptions, signal: AbortSignal): Promise<ExecutedJob> {
  const log = options.log.forJob({ jobId: job.id, batchId: job.batchId });
  let isRefreshAsked = false;
  let chunks = 0;
  const answeredWork = new AnsweredWork();
  logRoutine(log, "info", "Started.");
  const context = createJobContext(job, {
    workerId: options.workerId,
    queuedMs: 0,
    signal,
    log,
    onProgress: (data) => log.special("payload", "info", `Progress: ${printable(data)}`),
    onRefresh: () => {
      isRefreshAsked = true;
    },
    whenAnswered: (work) => answeredWork.add(work),
    onUnhealthy: ({ name, thrown }) => log.error(`Worker is unhealthy: ${name} | ${errorMessageOf(thrown)}`),
  });
  // The printed result always holds all chunks, since there is no stream URL here.
  const executed = await executeJob({ ...options.program, isAggregating: true }, job, {
    context,
    isRefreshAsked: () => isRefreshAsked,
    onChunk: (chunk) => {
      chunks += 1;
      log.special("payload", "info", `Chunk ${chunks}: ${printable(chunk)}`);
    },
    workerLog: options.log,
  });
  await answeredWork.run(log);
  return executed;
}

/** Chunks and progress are shown, not delivered; the result itself is checked strictly. */
function printable(value: unknown): string {
  try {
    return encodeJson(value);
  } catch (error) {
    return errorMessageOf(error);
  }
}

function report(job: Job, { body }: ExecutedJob, { log, onResult }: LocalRunOptions): number {
  let error = body.error;
  let printed = "";
  try {
    printed = encodeJson(body);
  } catch (failure) {
    error ??= errorMessageOf(failure);
  }
  if (error !== undefined) {
    log.error(`Job ${job.id} failed with error: ${error}`);
    onResult?.({ output: null, error: log.redactor.redact(error), hasRun: true });
    return 1;
  }
  log.info(`Job ${job.id} completed successfully.`);
  log.special("payload", "info", `Job result: ${printed}`);
  onResult?.({ output: body.output ?? {}, error: null, hasRun: true });
  log.info("Local testing complete, exiting.");
  return 0;
}
