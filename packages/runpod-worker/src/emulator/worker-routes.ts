import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { Hono, type Context } from "hono";
import type { HttpBindings } from "@hono/node-server";
import type { JobRecord } from "../job-queue/job-record.ts";
import { isSameSecret } from "../public-api/access.ts";
import type { Delivery } from "../public-api/http-environment.ts";
import type { EmulatedPlatform, PostVerdict } from "./emulated-platform.ts";
import type { Exchange } from "./exchange-log.ts";
import { pathBeforeQuestionMark, routePath, WORKER_ROUTES } from "./request-target.ts";

/** What the emulator's server hands to its routes in addition to the request. */
export interface EmulatorBindings extends HttpBindings {
  readonly delivery: Delivery;
  readonly exchange: Exchange;
  /** The whole body; the log may keep less of it. */
  readonly body: Buffer<ArrayBuffer>;
  /** True if a fault delivers the jobs of this take twice. */
  readonly isDuplicated: boolean;
}

export interface EmulatorEnvironment {
  Bindings: EmulatorBindings;
}

export interface WorkerRoutesOptions {
  readonly platform: EmulatedPlatform;
  readonly endpointId: string;
  /** The raw key that workers must send; undefined requires none. */
  readonly workerKey: string | undefined;
}

type WorkerContext = Context<EmulatorEnvironment>;

/** The routes of workers (spec platform §12.1). The query is parsed by hand, since it may be glued to the path. */
export function createWorkerRoutes(options: WorkerRoutesOptions): Hono<EmulatorEnvironment> {
  const { platform, endpointId, workerKey } = options;
  const app = new Hono<EmulatorEnvironment>().basePath(`/v2/${endpointId}`);
  for (const route of WORKER_ROUTES) {
    app.use(`/${route}/*`, async (context, next) => {
      const isIn = workerKey === undefined || isSameSecret(context.req.header("authorization") ?? "", workerKey);
      if (isIn) return next();
      platform.violations.add("unauthorized", context.env.exchange.workerId);
      return context.json({ error: "unauthorized" }, 401);
    });
  }
  app.get("/job-take/:worker", async (context) => {
    const { records, isFresh } = await take(context, platform, 1);
    const [record] = records;
    if (record === undefined) return emptyTake(platform);
    if (context.env.isDuplicated && isFresh) redeliver(platform, context.req.param("worker"), record);
    return context.json(wireJobOf(record, platform));
  });
  app.get("/job-take-batch/:worker", async (context) => {
    const limit = Math.max(1, Math.floor(Number(context.env.exchange.query["batch_size"] ?? 1)) || 1);
    const { records, isFresh } = await take(context, platform, limit);
    if (records.length === 0) return emptyTake(platform);
    const isDuplicated = context.env.isDuplicated && isFresh;
    if (isDuplicated) platform.noteDuplicates(records);
    const copies = isDuplicated ? [...records, ...records] : records;
    return context.json(copies.map((record) => wireJobOf(record, platform)));
  });
  app.get("/job-stop/:worker", (context) => pollStop(context, platform));
  app.post("/job-done/:worker/:job?", (context) => receive(context, platform, "done"));
  app.post("/job-stream/:worker/:job?", (context) => receive(context, platform, "chunk"));
  app.get("/ping/:worker", (context) => {
    platform.workers.notePing(context.req.param("worker"), context.env.exchange.query);
    return context.json({});
  });
  return app;
}

interface TakenJobs {
  readonly records: readonly JobRecord[];
  /** False if the worker has had them before. */
  readonly isFresh: boolean;
}

/** Waits for jobs as long as the rules say; a poll that is woken early checks again. */
async function take(context: WorkerContext, platform: EmulatedPlatform, limit: number): Promise<TakenJobs> {
  const { queue, workers, rules } = platform;
  const workerId = context.req.param("worker") ?? "";
  const worker = workers.noteTake(workerId);
  if (worker.isStopping) platform.violations.add("take-after-stop-pod", workerId);
  const { signal } = context.req.raw;
  const endsAtMs = queue.clock.now() + rules.takeHoldMs;
  // A lost worker's process may end before its connection does: it must not get another job.
  while (!signal.aborted && !worker.isLost && !queue.isClosed) {
    const again = workers.drainRedeliveries(workerId, limit);
    if (again.length > 0) return { records: again, isFresh: false };
    const holdMs = endsAtMs - queue.clock.now();
    const records = await heldTake(platform, workerId, worker.isStopping ? 0 : limit, holdMs, signal);
    if (records.length > 0) {
      const giveBack = () => {
        for (const record of records) platform.noteUndelivered(record, workerId);
      };
      if (await hasHungUp(context.env.incoming.socket)) {
        giveBack();
        break;
      }
      context.env.delivery.onFailure(giveBack);
      return { records, isFresh: true };
    }
    if (queue.clock.now() >= endsAtMs) break;
  }
  return { records: [], isFresh: true };
}

/**
 * True if the worker has closed the connection, though Node may not have read that yet: what is written to such a
 * connection counts as sent, and the job would be lost with it.
 */
async function hasHungUp(socket: Socket): Promise<boolean> {
  // Between two of the check phases the event loop has asked all sockets for news.
  await setImmediate();
  await setImmediate();
  return socket.destroyed || socket.readableEnded;
}

/** One wait of a take; ends early without jobs when the worker hangs up or must check again. */
async function heldTake(
  { queue, workers }: EmulatedPlatform,
  workerId: string,
  limit: number,
  holdMs: number,
  signal: AbortSignal,
): Promise<JobRecord[]> {
  const held = new AbortController();
  const end = (): void => held.abort();
  const unregister = workers.holdPoll(workerId, "take", end);
  signal.addEventListener("abort", end);
  try {
    if (limit > 0) return await queue.takeWhenAvailable(limit, workerId, { holdMs, signal: held.signal });
    // A worker that must stop is held without a job.
    await new Promise<void>((resolve) => {
      const timer = queue.clock.after(holdMs, resolve);
      held.signal.addEventListener("abort", () => {
        timer.cancel();
        resolve();
      });
    });
    return [];
  } finally {
    unregister();
    signal.removeEventListener("abort", end);
  }
}

function redeliver(platform: EmulatedPlatform, workerId: string, record: JobRecord): void {
  platform.workers.deliverAgain(workerId, record);
  platform.noteDuplicates([record]);
}

function emptyTake({ rules }: EmulatedPlatform): Response {
  return new Response(null, { status: rules.emptyTakeStatus });
}

/** A job as a worker gets it (spec platform §4.1). */
function wireJobOf(record: JobRecord, { queue, rules }: EmulatedPlatform): Record<string, unknown> {
  const { webhook, s3Config, input } = record.request;
  const job = { ...record.extraFields, id: record.id, input };
  if (rules.jobFields === "minimal") return job;
  return {
    delayTime: Math.round((record.startedAtMs ?? queue.clock.now()) - record.queuedAtMs),
    error: "",
    executionTime: 0,
    retries: record.retries,
    status: "IN_PROGRESS",
    ...(webhook === undefined ? {} : { webhook }),
    ...(s3Config === undefined ? {} : { s3Config }),
    ...job,
  };
}

async function pollStop(context: WorkerContext, platform: EmulatedPlatform): Promise<Response> {
  const { queue, workers, rules } = platform;
  const workerId = context.req.param("worker") ?? "";
  const { signal } = context.req.raw;
  const first = workers.drainStops(workerId);
  const jobIds = first.length > 0 ? first : await heldStop();
  if (jobIds.length === 0) return new Response(null, { status: 204 });
  context.env.delivery.onFailure(() => workers.requestStop(workerId, jobIds));
  return context.json({ jobsToStop: jobIds });

  async function heldStop(): Promise<string[]> {
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        timer.cancel();
        unregister();
        signal.removeEventListener("abort", finish);
        resolve();
      };
      const timer = queue.clock.after(rules.stopHoldMs, finish);
      const unregister = workers.holdPoll(workerId, "stop", finish);
      signal.addEventListener("abort", finish);
    });
    return signal.aborted ? [] : workers.drainStops(workerId);
  }
}

/** A post about a job: result, progress or chunk. */
async function receive(context: WorkerContext, platform: EmulatedPlatform, kind: "done" | "chunk"): Promise<Response> {
  const { exchange, body: bytes, delivery, outgoing } = context.env;
  const workerId = context.req.param("worker") ?? "";
  const record = findJob(context, platform);
  exchange.jobId = record?.id ?? exchange.jobId;
  const limitBytes = kind === "done" ? platform.rules.resultLimitBytes : platform.rules.chunkLimitBytes;
  const sizeBytes = bytes.length;
  if (sizeBytes > limitBytes) {
    platform.violations.add(kind === "done" ? "result-too-large" : "chunk-too-large", workerId, exchange.jobId);
    return context.json({ error: `body too large (got ${sizeBytes} bytes, limit ${limitBytes})` }, 400);
  }
  if (record === undefined) {
    platform.violations.add("unknown-job", workerId, exchange.jobId);
    return context.json({ error: "job not found" }, 404);
  }
  const body = parseJson(bytes);
  if (kind === "chunk") return answer(platform.postChunk(record, workerId, body));
  const verdict = platform.postDone(record, workerId, body);
  outgoing.once("close", () => {
    if (verdict.isResult && !delivery.hasFailed) platform.acknowledgeResult(record);
    if (verdict.wantsStop) platform.workers.noteStopPod(workerId);
  });
  return answer(verdict);
}

function answer({ status, message }: PostVerdict): Response {
  return Response.json(message === undefined ? {} : { error: message }, { status });
}

/** The job that a post means: by its path, or, in a template without a job id, by `X-Request-ID`. */
function findJob(context: WorkerContext, { queue }: EmulatedPlatform): JobRecord | undefined {
  const ids = [
    context.req.param("job"),
    routePath(pathBeforeQuestionMark(context.env.exchange.target)).rest[1],
    context.req.header("x-request-id"),
  ];
  for (const id of ids) {
    const record = id === undefined ? undefined : queue.get(id);
    if (record !== undefined) return record;
  }
  return undefined;
}

/** Undefined for what is not JSON in UTF-8. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
