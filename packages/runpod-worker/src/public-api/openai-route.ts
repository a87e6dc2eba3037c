import type { Context } from "hono";
import { stream } from "hono/streaming";
import type { JobQueue } from "../job-queue/job-queue.ts";
import type { JobRecord } from "../job-queue/job-record.ts";
import { isFinalStatus } from "../protocol/job-status.ts";
import type { HttpEnvironment } from "./http-environment.ts";
import { errorTextOfJob, failureOfJob, hasStreamNews } from "./job-answer.ts";
import { headersOfFailure } from "./public-api-error.ts";
import { checkRoom, reserveAnswer } from "./queue-room.ts";
import { readJson, type BodyRules } from "./request-body.ts";

/**
 * The platform's OpenAI passthrough (spec platform §5.7): the request becomes a job with `openai_route` and
 * `openai_input`, and its output the answer. With `stream: true` the handler yields raw text of server-sent events.
 * A caller who hangs up cancels the job, since no one else can fetch its output.
 */
export async function answerOpenAi(
  context: Context<HttpEnvironment>,
  queue: JobQueue,
  rules: BodyRules,
): Promise<Response> {
  const { input, sizeBytes } = await openAiInputOf(context, rules);
  checkRoom(queue, sizeBytes);
  const record = queue.submit({ input }, { isSync: true, sizeBytes });
  const { signal } = context.req.raw;
  const onHangUp = (): void => void queue.cancel(record);
  signal.addEventListener("abort", onHangUp);
  return isStreamed(input) ? answerStream(context, queue, record) : answerWhole(context, queue, record);
}

interface OpenAiInput {
  readonly openai_route: string;
  readonly openai_input?: unknown;
}

async function openAiInputOf(
  context: Context<HttpEnvironment>,
  rules: BodyRules,
): Promise<{ input: OpenAiInput; sizeBytes: number }> {
  const { path, method } = context.req;
  const route = path.slice(path.indexOf("/openai/") + "/openai".length);
  if (method !== "POST") return { input: { openai_route: route }, sizeBytes: 0 };
  const { value, sizeBytes } = await readJson(context, rules);
  return { input: { openai_route: route, openai_input: value }, sizeBytes };
}

function isStreamed(input: OpenAiInput): boolean {
  const body = input.openai_input;
  return typeof body === "object" && body !== null && "stream" in body && body.stream === true;
}

async function answerWhole(context: Context<HttpEnvironment>, queue: JobQueue, record: JobRecord): Promise<Response> {
  await untilNews(queue, record, ({ status }) => isFinalStatus(status));
  if (record.status !== "COMPLETED") return failureOf(context, queue, record);
  reserveAnswer(context, queue, record.resultBytes);
  const output = record.output?.value;
  // A generator's output is the list of what it yielded or, without aggregation, an empty list; the chunks are separate.
  const list = Array.isArray(output) ? [...output, ...queue.drainChunks(record)] : [output];
  return context.json(list[0] ?? null);
}

async function answerStream(context: Context<HttpEnvironment>, queue: JobQueue, record: JobRecord): Promise<Response> {
  await untilNews(queue, record, hasStreamNews);
  // As long as nothing has been sent, a failure can still have a status of its own.
  if (record.chunks.length === 0 && record.status !== "COMPLETED") return failureOf(context, queue, record);
  context.header("content-type", "text/event-stream");
  context.header("cache-control", "no-cache");
  return stream(context, async (sink) => {
    for (;;) {
      for (const chunk of queue.drainChunks(record)) await sink.write(eventTextOf(chunk));
      if (record.isRemoved || record.dropped !== undefined) break;
      if (isFinalStatus(record.status) && record.chunks.length === 0) break;
      await untilNews(queue, record, hasStreamNews);
    }
    if (record.status !== "COMPLETED" || record.dropped !== undefined)
      await sink.write(eventTextOf({ error: errorBodyOf(queue, record) }));
  });
}

/** A job always ends at its execution timeout, so no other limit is needed here. */
function untilNews(queue: JobQueue, record: JobRecord, isDone: (record: JobRecord) => boolean): Promise<void> {
  return queue.waitUntil(record, isDone, { timeoutMs: queue.rules.ttlMs });
}

function eventTextOf(chunk: unknown): string {
  return typeof chunk === "string" ? chunk : `data: ${JSON.stringify(chunk)}\n\n`;
}

function failureOf(context: Context<HttpEnvironment>, queue: JobQueue, record: JobRecord): Response {
  const failure = failureOfJob(record);
  // Handlers may use any status; Hono's type is a closed set.
  return context.json({ error: errorBodyOf(queue, record) }, failure.httpStatus as 500, headersOfFailure(failure));
}

function errorBodyOf(queue: JobQueue, record: JobRecord): Readonly<Record<string, unknown>> {
  const { code, httpStatus, isRetryable } = failureOfJob(record);
  const type = httpStatus < 500 ? "invalid_request_error" : "server_error";
  return { message: errorTextOfJob(queue, record), type, code, retryable: isRetryable };
}
