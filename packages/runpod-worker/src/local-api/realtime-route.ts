import type { Context } from "hono";
import type { JobQueue } from "../job-queue/job-queue.ts";
import { isRecord } from "../protocol/is-record.ts";
import { isFinalStatus } from "../protocol/job-status.ts";
import type { HttpEnvironment } from "../public-api/http-environment.ts";
import { answerBytesOf, errorTextOfJob, failureOfJob } from "../public-api/job-answer.ts";
import { headersOfFailure, PublicApiError } from "../public-api/public-api-error.ts";
import { checkRoom, reserveAnswer } from "../public-api/queue-room.ts";
import { readJson, type BodyRules } from "../public-api/request-body.ts";

/**
 * The realtime route of the Python SDK's server (spec platform §5.3): the body is a job, and the answer what a worker
 * would post as its result. A job that fails answers with the status of its error, where that SDK says 200.
 */
export async function answerRealtime(
  context: Context<HttpEnvironment>,
  queue: JobQueue,
  rules: BodyRules,
): Promise<Response> {
  const { value, sizeBytes } = await readJson(context, rules);
  if (!isRecord(value) || !Object.hasOwn(value, "input")) {
    throw new PublicApiError("INVALID_INPUT", "Cannot run the job: it has no input");
  }
  checkRoom(queue, sizeBytes);
  const { signal } = context.req.raw;
  const record = queue.submit({ input: value["input"] }, { isSync: true, sizeBytes });
  signal.addEventListener("abort", () => void queue.cancel(record));
  await queue.waitUntil(record, ({ status }) => isFinalStatus(status), { timeoutMs: queue.rules.ttlMs, signal });
  reserveAnswer(context, queue, answerBytesOf(record));
  const output = record.output === undefined ? {} : { output: record.output.value };
  if (record.status === "COMPLETED" && record.dropped === undefined) return context.json(output);
  const failure = failureOfJob(record);
  const { code, isRetryable } = failure;
  const body = { ...output, error: errorTextOfJob(queue, record), code, retryable: isRetryable };
  // Handlers may use any status; Hono's type is a closed set.
  return context.json(body, failure.httpStatus as 500, headersOfFailure(failure));
}
