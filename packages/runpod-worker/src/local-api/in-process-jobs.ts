import { JobError } from "../errors.ts";
import type { JobQueue } from "../job-queue/job-queue.ts";
import type { JobRecord } from "../job-queue/job-record.ts";
import { memorySizeOf } from "../job-queue/memory-size.ts";
import { isFinalStatus } from "../protocol/job-status.ts";
import { apiFailure } from "../protocol/api-errors.ts";
import { errorTextOfJob, failureOfJob } from "../public-api/job-answer.ts";
import { PublicApiError } from "../public-api/public-api-error.ts";
import { checkRoom } from "../public-api/queue-room.ts";

/** A job of a caller in this process, such as a route that speaks another protocol. */
export interface InProcessJob {
  readonly input: unknown;
  /** What the handler gets as `context.attachment`: a way to hand over what JSON cannot carry. Not undefined. */
  readonly attachment: object;
  /** Stops the job, waiting or running, when the caller no longer needs it. */
  readonly signal: AbortSignal;
  /** Called once with the job's id, before it waits. */
  readonly onQueued?: ((id: string) => void) | undefined;
}

/**
 * Runs jobs of callers in this process: in the same queue, in the same order and under the same limits as jobs that come over
 * the public API.
 */
export class InProcessJobs {
  readonly #queue: JobQueue;

  constructor(queue: JobQueue) {
    this.#queue = queue;
  }

  /**
   * Runs a job and resolves with its output.
   *
   * @throws {JobError} with a `failure`, when the queue has no room (OVERLOADED), or the job fails, is cancelled or times out
   */
  async run({ input, attachment, signal, onQueued }: InProcessJob): Promise<unknown> {
    const queue = this.#queue;
    const sizeBytes = memorySizeOf(input);
    if (signal.aborted)
      throw new JobError("Cannot run the job: its caller has gone", { failure: apiFailure("CANCELLED") });
    refuseWithoutRoom(queue, sizeBytes);
    const record = queue.submit({ input }, { isSync: true, sizeBytes, attachment });
    const cancel = (): void => void queue.cancel(record);
    signal.addEventListener("abort", cancel, { once: true });
    onQueued?.(record.id);
    try {
      await queue.waitUntil(record, ({ status }) => isFinalStatus(status), { timeoutMs: queue.rules.ttlMs });
    } finally {
      signal.removeEventListener("abort", cancel);
    }
    return outputOf(queue, record);
  }
}

function refuseWithoutRoom(queue: JobQueue, sizeBytes: number): void {
  try {
    checkRoom(queue, sizeBytes);
  } catch (error) {
    if (!(error instanceof PublicApiError)) throw error;
    throw new JobError(`${error.code}: ${error.message}`, { failure: apiFailure(error.code), cause: error });
  }
}

function outputOf(queue: JobQueue, record: JobRecord): unknown {
  if (record.status === "COMPLETED" && record.dropped === undefined) return record.output?.value;
  const failure = failureOfJob(record);
  const text = errorTextOfJob(queue, record);
  throw new JobError(text.startsWith(failure.code) ? text : `${failure.code}: ${text}`, { failure });
}
