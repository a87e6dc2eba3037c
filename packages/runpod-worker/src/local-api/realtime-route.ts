import { Hono } from "hono";
import type { JobQueue } from "../job-queue/job-queue.ts";
import { isFinalStatus } from "../protocol/job-status.ts";
import { isRecord } from "../protocol/is-record.ts";
import type { HttpEnvironment } from "../public-api/http-environment.ts";
import { limitedBody } from "../public-api/limited-body.ts";
import { PublicApiError } from "../public-api/public-api-error.ts";
import { checkRoom } from "../public-api/queue-room.ts";

const DEFAULT_LIMIT_BYTES = 20 * 1024 * 1024;

/**
 * The realtime route of the Python SDK's server (spec platform §5.3): the body is a job, and the answer what a worker
 * would post as its result.
 */
export function createRealtimeRoute(queue: JobQueue, limitBytes = DEFAULT_LIMIT_BYTES): Hono<HttpEnvironment> {
  const app = new Hono<HttpEnvironment>();
  app.post("/", limitedBody(limitBytes), async (context) => {
    const body: unknown = await context.req.json().catch(() => undefined);
    if (!isRecord(body) || !("input" in body)) throw new PublicApiError(400, "Cannot run the job: it has no input");
    checkRoom(queue);
    const { signal } = context.req.raw;
    const record = queue.submit({ input: body["input"] }, { isSync: true });
    signal.addEventListener("abort", () => void queue.cancel(record));
    await queue.waitUntil(record, ({ status }) => isFinalStatus(status), { timeoutMs: queue.rules.ttlMs, signal });
    return context.json({
      ...(record.output === undefined ? {} : { output: record.output.value }),
      ...(record.error === undefined ? {} : { error: record.error }),
    });
  });
  return app;
}
