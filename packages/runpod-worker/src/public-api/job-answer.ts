import type { Context } from "hono";
import type { JobQueue } from "../job-queue/job-queue.ts";
import { memorySizeOf } from "../job-queue/memory-size.ts";
import { statusBodyOf, type JobRecord } from "../job-queue/job-record.ts";
import { API_ERRORS, apiFailure, type JobFailure } from "../protocol/api-errors.ts";
import { isFinalStatus } from "../protocol/job-status.ts";
import type { HttpEnvironment } from "./http-environment.ts";
import { reserveAnswer } from "./queue-room.ts";

/** The status of a job; 410 with the reason if its result was dropped, so that it is not mistaken for an empty one. */
export function answerOfJob(context: Context<HttpEnvironment>, queue: JobQueue, record: JobRecord): Response {
  if (record.dropped !== "result") {
    reserveAnswer(context, queue, answerBytesOf(record));
    return context.json(statusBodyOf(record));
  }
  return context.json({ ...statusBodyOf(record), ...droppedFields(queue, record) }, API_ERRORS.DROPPED.httpStatus);
}

/** Approximate bytes of memory of an answer with the job's output, without its unread chunks. */
export function answerBytesOf({ status, output, resultBytes, chunkBytes }: JobRecord): number {
  return isFinalStatus(status) ? resultBytes - chunkBytes : memorySizeOf(output?.value);
}

/** Why the result or chunks of a job are no longer available. */
export function droppedFields({ rules }: JobQueue, { dropped }: JobRecord): Readonly<Record<string, unknown>> {
  const why =
    dropped === "stream"
      ? `too much of it was not read in time, and was dropped (limit ${rules.maxUnreadBytes} bytes)`
      : `it was dropped to make room for newer ones (limit ${rules.maxResultBytes} bytes for all results)`;
  const error = `DROPPED: Cannot show the ${dropped === "stream" ? "stream" : "result"}: ${why}`;
  return { error, code: "DROPPED", retryable: API_ERRORS.DROPPED.isRetryable };
}

/** What a job that did not complete means to the client of a route that answers with the job's own outcome. */
export function failureOfJob({ failure, status, dropped }: JobRecord): JobFailure {
  if (failure !== undefined) return failure;
  if (dropped !== undefined) return apiFailure("DROPPED");
  if (status === "FAILED") return apiFailure("INTERNAL");
  // A job that has not ended has outlived its time to live.
  return apiFailure(status === "CANCELLED" ? "CANCELLED" : "DEADLINE_EXCEEDED");
}

/** True if a client of a job's stream has something to read, or nothing left to wait for. */
export function hasStreamNews({ chunks, dropped, status }: JobRecord): boolean {
  return chunks.length > 0 || dropped !== undefined || isFinalStatus(status);
}

/** The text of that failure. */
export function errorTextOfJob(queue: JobQueue, record: JobRecord): string {
  if (record.dropped !== undefined) return String(droppedFields(queue, record)["error"]);
  return record.error ?? `the job ended as ${record.status}`;
}
