import { types } from "node:util";
import type { Logger } from "../logging/logger.ts";
import type { Job } from "../protocol/job.ts";

/** What a handler gets in addition to its job. */
export interface JobContext {
  readonly jobId: string;
  readonly workerId: string;
  /** 1 for the first delivery of this job, 2 for the first retry, as far as the platform says. */
  readonly attempt: number;
  /** Milliseconds that the job waited in the queue of this process; 0 on the platform's queue, which does not say. */
  readonly queuedMs: number;
  /** When the platform ends this job (milliseconds since the epoch), if its policy says so. */
  readonly deadlineAtMs: number | undefined;
  /** Aborts when the job is cancelled or times out, or the worker must stop. Later results are discarded. */
  readonly signal: AbortSignal;
  /** Writes lines that carry the job's id. */
  readonly log: Logger;
  /** Shows `data` as the job's output while it runs. Returns at once; only the newest unsent value is kept. */
  readonly progress: (data: unknown) => void;
  /**
   * Has `work` done when the platform has the job's result, and never when it does not get it: then the job may be delivered
   * again. Rejections are logged.
   */
  readonly whenAnswered: (work: () => unknown) => void;
  /** Makes the worker stop after this job, as a returned `refresh_worker: true` does; also inside generators. */
  readonly refreshWorker: () => void;
  /** What the caller of `InProcessJobs.run` gave besides the input; undefined for all other jobs. */
  readonly attachment?: unknown;
  /**
   * Reports that this worker can no longer do any job: the platform is told that it is unhealthy, with
   * the name and reason of the failure; it takes no more jobs, is replaced after the running ones, and exits with 1.
   */
  readonly reportUnhealthy: (check: string, reason: unknown) => void;
}

/**
 * A value, a promise of one, or a (promise of a) generator whose chunks are streamed. What a generator finally returns,
 * if not `undefined`, is the job's result, as for any other handler; otherwise it is the list of chunks, which is
 * empty without `returnAggregateStream`.
 */
export type HandlerReturn<Output> =
  | Output
  | Iterable<Output>
  | AsyncIterable<Output>
  | Promise<Output | Iterable<Output> | AsyncIterable<Output>>;

/** Runs one job. What it returns decides whether the job is streamed (spec platform §1.6, §4.2). */
export type Handler<Input = unknown, Output = unknown> = (
  job: Job<Input>,
  context: JobContext,
) => HandlerReturn<Output>;

/** Built-in collections are values (which then fail to serialize), not streams of chunks. */
function isCollection(value: object): boolean {
  return value instanceof Map || value instanceof Set || ArrayBuffer.isView(value) || Array.isArray(value);
}

/** The chunks of a handler's returned value; `undefined` if the value is not a stream (spec platform §1.6.1). */
export function streamOf(returned: unknown): AsyncIterable<unknown> | Iterable<unknown> | undefined {
  if (typeof returned !== "object" || returned === null || isCollection(returned)) return undefined;
  if (Symbol.asyncIterator in returned) return returned as AsyncIterable<unknown>;
  if (Symbol.iterator in returned && !types.isStringObject(returned)) return returned as Iterable<unknown>;
  return undefined;
}
