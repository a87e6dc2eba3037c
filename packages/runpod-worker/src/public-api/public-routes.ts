import { Hono, type Context } from "hono";
import type { JobQueue } from "../job-queue/job-queue.ts";
import { statusBodyOf, type JobRecord } from "../job-queue/job-record.ts";
import { isFinalStatus, type HealthBody } from "../protocol/job-status.ts";
import { isAuthorized } from "./authorization.ts";
import { onUndelivered, type HttpEnvironment } from "./http-environment.ts";
import { limitedBody } from "./limited-body.ts";
import { answerOpenAi } from "./openai-route.ts";
import { PublicApiError } from "./public-api-error.ts";
import { checkRoom } from "./queue-room.ts";
import { DEFAULT_POLICY_BOUNDS, parseRunRequest, type PolicyBounds } from "./run-request-parser.ts";

export interface PublicRoutesOptions {
  readonly queue: JobQueue;
  /** The states of the workers, for `/health`. */
  readonly workerCounts: () => HealthBody["workers"];
  /** Required as `Authorization`, with or without `Bearer`; without it everybody may call. */
  readonly apiKey?: string | undefined;
  /** Facts about what is served, shown in `/health` beside the counts. */
  readonly about?: (() => Readonly<Record<string, unknown>>) | undefined;
  /** The only endpoint id that exists; without it every id does. */
  readonly endpointId?: string | undefined;
  /** Bytes of a request to `/run`; 10 MiB on the platform. */
  readonly runLimitBytes?: number;
  /** Bytes of a request to `/runsync` and `/openai`; 20 MiB on the platform. */
  readonly runSyncLimitBytes?: number;
  /** How long `/stream` is held without news, in milliseconds of the queue's clock, unless `?wait=` says otherwise. */
  readonly streamHoldMs?: number;
  readonly policyBounds?: PolicyBounds;
  /** What an unknown job gets: 404 as on the platform, or 200 with FAILED as from the Python SDK's local server. */
  readonly unknownJobAnswer?: "platform" | "sdk";
}

const MEBIBYTE = 1024 * 1024;
/** Bounds of `?wait=` (spec platform §5.4), and what holds without it. */
const WAIT_MS = { min: 1000, max: 300_000, default: 90_000 };
/**
 * The official Python client gives up a `/stream` after 10 s, so an answer must come a little before: a chunk that is
 * handed over just then would be lost.
 */
const STREAM_HOLD_MS = 9000;
/** Each operation is served under all of these (spec platform §5.6). */
const PREFIXES = ["", "/:endpoint", "/v2/:endpoint"] as const;

type Method = "GET" | "POST";
type Handle = (context: Context<HttpEnvironment>) => Response | Promise<Response>;
type Operation = readonly [methods: readonly Method[], path: string, handle: Handle, limitBytes?: number];

/**
 * The public API of one endpoint over a queue (spec platform §5.4 and §5.6), under `/`, `/{endpoint}/` and
 * `/v2/{endpoint}/`. Successes are always 200, since the official clients take nothing else for one.
 */
export function createPublicRoutes(options: PublicRoutesOptions): Hono<HttpEnvironment> {
  const app = new Hono<HttpEnvironment>();
  app.onError((error) => refusalOf(error));
  app.notFound(() => Response.json({ error: "not found" }, { status: 404 }));
  const operations = operationsOf(options);
  for (const prefix of PREFIXES) {
    for (const [methods, path, handle, limitBytes] of operations) {
      const limit = limitedBody(limitBytes ?? MEBIBYTE);
      app.on([...methods], prefix + path, async (context, next) => {
        checkCaller(context, options);
        return limit(context, next);
      });
      app.on([...methods], prefix + path, handle);
    }
  }
  for (const prefix of PREFIXES) {
    for (const [methods, path] of operations) app.all(prefix + path, () => refuseMethod(methods));
  }
  return app;
}

function operationsOf(options: PublicRoutesOptions): Operation[] {
  const { queue } = options;
  const runLimitBytes = options.runLimitBytes ?? 10 * MEBIBYTE;
  const runSyncLimitBytes = options.runSyncLimitBytes ?? 20 * MEBIBYTE;
  const onJob = (handle: (context: Context<HttpEnvironment>, record: JobRecord) => Response | Promise<Response>) => {
    return (context: Context<HttpEnvironment>) => {
      const record = queue.get(context.req.param("id") ?? "");
      return record === undefined ? unknownJob(context, options) : handle(context, record);
    };
  };
  return [
    [["POST"], "/run", (context) => run(context, options), runLimitBytes],
    [["POST"], "/runsync", (context) => runSync(context, options), runSyncLimitBytes],
    [["GET", "POST"], "/status/:id", onJob((context, record) => showStatus(context, queue, record))],
    [["GET", "POST"], "/status-sync/:id", onJob((context, record) => awaitStatus(context, options, record))],
    [["GET", "POST"], "/stream/:id", onJob((context, record) => stream(context, options, record))],
    [["POST"], "/cancel/:id", onJob((context, record) => cancel(context, queue, record))],
    [["POST"], "/retry/:id", onJob((context, record) => retry(context, queue, record))],
    [["POST"], "/purge-queue", (context) => context.json({ removed: queue.purge(), status: "completed" })],
    [["GET"], "/health", (context) => context.json(healthOf(options))],
    [["GET"], "/requests", (context) => context.json({ requests: queue.records().map(summaryOf) })],
    [["GET", "POST"], "/openai/*", (context) => answerOpenAi(context, queue), runSyncLimitBytes],
  ];
}

async function run(context: Context<HttpEnvironment>, options: PublicRoutesOptions): Promise<Response> {
  const record = await submit(context, options, { isSync: false });
  // Always IN_QUEUE, also when a worker has the job already: clients know no other first answer.
  return context.json({ id: record.id, status: "IN_QUEUE" });
}

async function runSync(context: Context<HttpEnvironment>, options: PublicRoutesOptions): Promise<Response> {
  const given = context.req.query("wait");
  const waitMs = waitOf(context);
  const record = await submit(context, options, { isSync: true, waitMs: given === undefined ? undefined : waitMs });
  return awaitFinal(context, options, record, waitMs);
}

async function submit(
  context: Context<HttpEnvironment>,
  options: PublicRoutesOptions,
  kind: { readonly isSync: boolean; readonly waitMs?: number | undefined },
): Promise<JobRecord> {
  const request = parseRunRequest(await context.req.text(), options.policyBounds ?? DEFAULT_POLICY_BOUNDS);
  checkRoom(options.queue);
  return options.queue.submit(request, kind);
}

function showStatus(context: Context<HttpEnvironment>, queue: JobQueue, record: JobRecord): Response {
  const ttlMs = numberOf(context.req.query("ttl"));
  if (ttlMs !== undefined && ttlMs >= 0) queue.shortenTtl(record, ttlMs);
  return context.json(statusBodyOf(record));
}

function awaitStatus(
  context: Context<HttpEnvironment>,
  options: PublicRoutesOptions,
  record: JobRecord,
): Promise<Response> {
  return awaitFinal(context, options, record, waitOf(context));
}

async function awaitFinal(
  context: Context<HttpEnvironment>,
  options: PublicRoutesOptions,
  record: JobRecord,
  timeoutMs: number,
): Promise<Response> {
  const { signal } = context.req.raw;
  await options.queue.waitUntil(record, ({ status }) => isFinalStatus(status), { timeoutMs, signal });
  return record.isRemoved ? unknownJob(context, options) : context.json(statusBodyOf(record));
}

/** The outputs since the last call, held until there is one or the job ends; the final answer carries the rest. */
async function stream(
  context: Context<HttpEnvironment>,
  options: PublicRoutesOptions,
  record: JobRecord,
): Promise<Response> {
  const { queue } = options;
  const { signal } = context.req.raw;
  const given = numberOf(context.req.query("wait"));
  const timeoutMs = given === undefined ? (options.streamHoldMs ?? STREAM_HOLD_MS) : clamp(given, 0, WAIT_MS.max);
  const hasNews = (job: JobRecord): boolean => job.chunks.length > 0 || isFinalStatus(job.status);
  await queue.waitUntil(record, hasNews, { timeoutMs, signal });
  if (record.isRemoved) return unknownJob(context, options);
  const chunks = signal.aborted ? [] : queue.drainChunks(record);
  onUndelivered(context, () => queue.restoreChunks(record, chunks));
  return context.json({ status: record.status, stream: chunks.map((output) => ({ output })) });
}

function cancel(context: Context<HttpEnvironment>, queue: JobQueue, record: JobRecord): Response {
  queue.cancel(record);
  const { output: _output, ...body } = statusBodyOf(record);
  return context.json(body);
}

function retry(context: Context<HttpEnvironment>, queue: JobQueue, record: JobRecord): Response {
  const { status } = record;
  checkRoom(queue);
  if (!queue.retry(record)) {
    throw new PublicApiError(
      400,
      `Cannot retry the job: only FAILED and TIMED_OUT jobs can be retried (got ${status})`,
    );
  }
  return context.json({ id: record.id, status: "IN_QUEUE" });
}

function healthOf(options: PublicRoutesOptions): HealthBody {
  return { ...options.about?.(), jobs: options.queue.counts, workers: options.workerCounts() };
}

function summaryOf(record: JobRecord): object {
  const { output: _output, error: _error, ...summary } = statusBodyOf(record);
  return summary;
}

function unknownJob(context: Context<HttpEnvironment>, options: PublicRoutesOptions): Response {
  if (options.unknownJobAnswer !== "sdk") throw new PublicApiError(404, "job not found");
  const id = context.req.param("id") ?? "";
  // `stream` is there since the official client iterates over it whatever the state is.
  return context.json({ id, status: "FAILED", error: "Job ID not found", stream: [] });
}

function checkCaller(context: Context<HttpEnvironment>, options: PublicRoutesOptions): void {
  const { apiKey, endpointId } = options;
  if (apiKey !== undefined && !isAuthorized(context.req.header("authorization"), apiKey)) {
    throw new PublicApiError(401, "unauthorized");
  }
  const endpoint = context.req.param("endpoint");
  if (endpointId !== undefined && endpoint !== undefined && endpoint !== endpointId) {
    throw new PublicApiError(404, "endpoint not found");
  }
}

function waitOf(context: Context<HttpEnvironment>): number {
  return clamp(numberOf(context.req.query("wait")) ?? WAIT_MS.default, WAIT_MS.min, WAIT_MS.max);
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

function refuseMethod(methods: readonly Method[]): Response {
  return Response.json({ error: "method not allowed" }, { status: 405, headers: { allow: methods.join(", ") } });
}

function refusalOf(error: unknown): Response {
  if (!(error instanceof PublicApiError)) return Response.json({ error: "internal error" }, { status: 500 });
  return Response.json({ error: error.message }, { status: error.status, headers: error.headers });
}
