import { types } from "node:util";
import type { Logger } from "../logging/logger.ts";
import type { Job } from "../protocol/job.ts";

/** What a handler gets beside its job. */
export interface JobContext {
  readonly jobId: string;
  readonly workerId: string;
  /** 1 for the first delivery of this job, 2 for the first retry, as far as the platform tells. */
  readonly attempt: number;
  /** Moment (milliseconds since the epoch) at which the platform ends this job, where its policy says so. */
  readonly deadlineAtMs: number | undefined;
  /** Aborts when the job is cancelled, timed out, or the worker must go. Results after that are discarded. */
  readonly signal: AbortSignal;
  /** Writes lines that carry the job's id. */
  readonly log: Logger;
  /** Shows `data` as the job's output while it runs. Never waits; only the newest unsent value is kept. */
  readonly progress: (data: unknown) => void;
  /** Makes the worker stop after this job, as a returned `refresh_worker: true` does; also inside generators. */
  readonly refreshWorker: () => void;
  /**
   * Says that this worker cannot do its work any more, whatever the job is: the platform is told that it is unhealthy, by
   * the name of what was found and its reason; it takes no more jobs, is replaced after those that run, and exits with 1.
   */
  readonly reportUnhealthy: (check: string, reason: unknown) => void;
}

/**
 * A value, a promise of one, or a (promise of a) generator whose chunks are streamed. What a generator returns in the end,
 * if that is not `undefined`, is the job's result as any other handler's; otherwise it is the list of chunks, which is
 * empty without `returnAggregateStream`.
 */
export type HandlerReturn<Output> =
  | Output
  | Iterable<Output>
  | AsyncIterable<Output>
  | Promise<Output | Iterable<Output> | AsyncIterable<Output>>;

/** Does one job. What it returns decides whether the job is streamed (spec platform §1.6, §4.2). */
export type Handler<Input = unknown, Output = unknown> = (
  job: Job<Input>,
  context: JobContext,
) => HandlerReturn<Output>;

/** Built-in collections are values (which then fail to serialise), not streams of chunks. */
function isCollection(value: object): boolean {
  return value instanceof Map || value instanceof Set || ArrayBuffer.isView(value) || Array.isArray(value);
}

/** The chunks of a handler's returned value, or `undefined` when the value is no stream (spec platform §1.6.1). */
export function streamOf(returned: unknown): AsyncIterable<unknown> | Iterable<unknown> | undefined {
  if (typeof returned !== "object" || returned === null || isCollection(returned)) return undefined;
  if (Symbol.asyncIterator in returned) return returned as AsyncIterable<unknown>;
  if (Symbol.iterator in returned && !types.isStringObject(returned)) return returned as Iterable<unknown>;
  return undefined;
}
