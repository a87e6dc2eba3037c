import type { Context, Hono } from "hono";
import type { JobQueue } from "../job-queue/job-queue.ts";
import { statusBodyOf, type JobRecord } from "../job-queue/job-record.ts";
import { API_ERRORS } from "../protocol/api-errors.ts";
import { isFinalStatus, type HealthBody } from "../protocol/job-status.ts";
import { mayShowDetails, type AccessRules } from "./access.ts";
import { createGuardedApp, type Handle } from "./guarded-app.ts";
import { onUndelivered, type HttpEnvironment } from "./http-environment.ts";
import { answerOfJob, droppedFields, hasStreamNews } from "./job-answer.ts";
import { answerOpenAi } from "./openai-route.ts";
import { answerOfError, PublicApiError } from "./public-api-error.ts";
import { checkRoom, reserveAnswer } from "./queue-room.ts";
import { readJson, type BodyRules } from "./request-body.ts";
import { parseRunRequest, type PolicyBounds } from "./run-request-parser.ts";

export interface PublicRoutesOptions extends AccessRules {
  readonly queue: JobQueue;
  /** The states of the workers, for `/health`. */
  readonly workerCounts: () => HealthBody["workers"];
  /** The state that `/health` shows to callers without the key. Default `ready`. */
  readonly status?: (() => string) | undefined;
  /** `GET` routes besides `/health` that need no key, by path. All other routes of the app, even ones added later, need it. */
  readonly openRoutes?: Readonly<Record<string, Handle>>;
  /** State of what serves, in detail, for `/health`. */
  readonly checks?: (() => Readonly<Record<string, unknown>> | undefined) | undefined;
  /** Apps whose routes come before these; each checks who may call it. */
  readonly doors?: readonly Hono<HttpEnvironment>[];
  /** Facts about what is served, shown in `/health` next to the counts. */
  readonly about?: (() => Readonly<Record<string, unknown>>) | undefined;
  /** The only endpoint id that exists; without it every id does. */
  readonly endpointId?: string | undefined;
  /** Bytes of a request to `/run`; 10 MiB on the platform. */
  readonly runLimitBytes?: number;
  /** Bytes of a request to `/runsync` and `/openai`; 20 MiB on the platform. */
  readonly runSyncLimitBytes?: number;
  /** How long `/stream` is held without new output, in milliseconds of the queue's clock, unless `?wait=` says otherwise. */
  readonly streamHoldMs?: number;
  readonly policyBounds?: PolicyBounds | undefined;
  /** False refuses webhooks to addresses that are plainly not on the public internet. Default true. */
  readonly allowsPrivateWebhooks?: boolean;
  /** False accepts any content type as JSON. Default true, since a web page may send other types to any origin. */
  readonly requiresJsonType?: boolean;
  /** What an unknown job gets: 404 as on the platform, or 200 with FAILED as from the Python SDK's local server. */
  readonly unknownJobAnswer?: "platform" | "sdk";
}

const MEBIBYTE = 1024 * 1024;
/** Bounds of `?wait=` (spec platform §5.4), and its default. */
const WAIT_MS = { min: 1000, max: 300_000, default: 90_000 };
/**
 * The official Python client gives up on `/stream` after 10 s, so an answer must come a little earlier: a chunk
 * returned at that moment would be lost.
 */
const STREAM_HOLD_MS = 9000;
/** Each operation is served under all of these (spec platform §5.6). */
const PREFIXES = ["", "/:endpoint", "/v2/:endpoint"] as const;

type Method = "GET" | "POST";
type Operation = readonly [methods: readonly Method[], path: string, handle: Handle];

/**
 * The public API of one endpoint over a queue (spec platform §5.4 and §5.6), under `/`, `/{endpoint}/` and
 * `/v2/{endpoint}/`. Success is always 200, since the official clients accept nothing else. With a key, everything but
 * `/health` and `openRoutes` is refused without it, even paths that do not exist.
 */
export function createPublicRoutes(options: PublicRoutesOptions): Hono<HttpEnvironment> {
  const health: Record<string, Handle> = {};
  for (const prefix of PREFIXES) health[`${prefix}/health`] = (context) => showHealth(context, options);
  const app = createGuardedApp(options, { ...health, ...options.openRoutes }, options.doors);
  const operations = operationsOf(options);
  for (const prefix of PREFIXES) {
    for (const [methods, path, handle] of operations) {
      app.on([...methods], prefix + path, (context) => {
        checkEndpoint(context, options);
        return handle(context);
      });
    }
  }
  for (const prefix of PREFIXES) {
    for (const [methods, path] of operations) app.all(prefix + path, () => refuseMethod(methods));
    app.all(`${prefix}/health`, () => refuseMethod(["GET"]));
  }
  return app;
}

function operationsOf(options: PublicRoutesOptions): Operation[] {
  const { queue } = options;
  const onJob = (handle: (context: Context<HttpEnvironment>, record: JobRecord) => Response | Promise<Response>) => {
    return (context: Context<HttpEnvironment>) => {
      const record = queue.get(context.req.param("id") ?? "");
      return record === undefined ? unknownJob(context, options) : handle(context, record);
    };
  };
  return [
    [["POST"], "/run", (context) => run(context, options)],
    [["POST"], "/runsync", (context) => runSync(context, options)],
    [["GET", "POST"], "/status/:id", onJob((context, record) => showStatus(context, queue, record))],
    [["GET", "POST"], "/status-sync/:id", onJob((context, record) => awaitStatus(context, options, record))],
    [["GET", "POST"], "/stream/:id", onJob((context, record) => stream(context, options, record))],
    [["POST"], "/cancel/:id", onJob((context, record) => cancel(context, queue, record))],
    [["POST"], "/retry/:id", onJob((context, record) => retry(context, queue, record))],
    [["POST"], "/purge-queue", (context) => context.json({ removed: queue.purge(), status: "completed" })],
    [["GET"], "/requests", (context) => context.json({ requests: queue.records().map(summaryOf) })],
    [["GET", "POST"], "/openai/*", (context) => answerOpenAi(context, queue, syncBodyRules(options))],
  ];
}

/** Body rules for routes that answer with the result. */
export function syncBodyRules({ queue, runSyncLimitBytes, requiresJsonType }: PublicRoutesOptions): BodyRules {
  return {
    limitBytes: runSyncLimitBytes ?? 20 * MEBIBYTE,
    budget: queue.inputs,
    requiresJsonType: requiresJsonType ?? true,
  };
}

async function run(context: Context<HttpEnvironment>, options: PublicRoutesOptions): Promise<Response> {
  const rules = { ...syncBodyRules(options), limitBytes: options.runLimitBytes ?? 10 * MEBIBYTE };
  const record = await submit(context, options, rules, { isSync: false });
  // Always IN_QUEUE, even if a worker already has the job: clients expect that.
  return context.json({ id: record.id, status: "IN_QUEUE" });
}

async function runSync(context: Context<HttpEnvironment>, options: PublicRoutesOptions): Promise<Response> {
  const given = context.req.query("wait");
  const waitMs = waitOf(context);
  const record = await submit(context, options, syncBodyRules(options), {
    isSync: true,
    waitMs: given === undefined ? undefined : waitMs,
  });
  return awaitFinal(context, options, record, waitMs);
}

async function submit(
  context: Context<HttpEnvironment>,
  { queue, policyBounds, allowsPrivateWebhooks }: PublicRoutesOptions,
  rules: BodyRules,
  kind: { readonly isSync: boolean; readonly waitMs?: number | undefined },
): Promise<JobRecord> {
  const { value, sizeBytes } = await readJson(context, rules);
  const request = parseRunRequest(value, { bounds: policyBounds, allowsPrivateWebhooks });
  checkRoom(queue, sizeBytes);
  return queue.submit(request, { ...kind, sizeBytes });
}

function showStatus(context: Context<HttpEnvironment>, queue: JobQueue, record: JobRecord): Response {
  const ttlMs = numberOf(context.req.query("ttl"));
  if (ttlMs !== undefined && ttlMs >= 0) queue.shortenTtl(record, ttlMs);
  return answerOfJob(context, queue, record);
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
  return record.isRemoved ? unknownJob(context, options) : answerOfJob(context, options.queue, record);
}

/** The outputs since the last call; held until there is one or the job ends; the final answer carries the rest. */
async function stream(
  context: Context<HttpEnvironment>,
  options: PublicRoutesOptions,
  record: JobRecord,
): Promise<Response> {
  const { queue } = options;
  const { signal } = context.req.raw;
  const given = numberOf(context.req.query("wait"));
  const timeoutMs = given === undefined ? (options.streamHoldMs ?? STREAM_HOLD_MS) : clamp(given, 0, WAIT_MS.max);
  await queue.waitUntil(record, hasStreamNews, { timeoutMs, signal });
  if (record.isRemoved) return unknownJob(context, options);
  if (record.dropped !== undefined) {
    const body = { id: record.id, status: record.status, stream: [], ...droppedFields(queue, record) };
    return context.json(body, API_ERRORS.DROPPED.httpStatus);
  }
  reserveAnswer(context, queue, record.chunkBytes);
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
  const { status, isInputDropped, inputBytes } = record;
  checkRoom(queue, inputBytes);
  if (status !== "FAILED" && status !== "TIMED_OUT") {
    const why = `only FAILED and TIMED_OUT jobs can be retried (got ${status})`;
    throw new PublicApiError("INVALID_INPUT", `Cannot retry the job: ${why}`);
  }
  if (isInputDropped) {
    const why = `its input was dropped to keep the memory bounded (limit ${queue.rules.maxEndedInputBytes} bytes)`;
    throw new PublicApiError("DROPPED", `Cannot retry the job: ${why}; send it again as a new one`);
  }
  queue.retry(record);
  return context.json({ id: record.id, status: "IN_QUEUE" });
}

function showHealth(context: Context<HttpEnvironment>, options: PublicRoutesOptions): Response {
  const status = options.status?.() ?? "ready";
  if (!mayShowDetails(context, options)) return context.json({ status });
  checkEndpoint(context, options);
  const counts: HealthBody = { jobs: options.queue.counts, workers: options.workerCounts() };
  // Without a host that knows more, the body is exactly the platform's.
  const checks = options.checks?.();
  const state = checks === undefined ? {} : { status, checks };
  return context.json({ ...options.about?.(), ...state, ...counts });
}

function summaryOf(record: JobRecord): object {
  const { output: _output, error: _error, ...summary } = statusBodyOf(record);
  return summary;
}

function unknownJob(context: Context<HttpEnvironment>, options: PublicRoutesOptions): Response {
  if (options.unknownJobAnswer !== "sdk") throw new PublicApiError("NOT_FOUND", "job not found");
  const id = context.req.param("id") ?? "";
  // `stream` is present because the official client iterates over it in any state.
  return context.json({ id, status: "FAILED", error: "Job ID not found", stream: [] });
}

function checkEndpoint(context: Context<HttpEnvironment>, { endpointId }: PublicRoutesOptions): void {
  const endpoint = context.req.param("endpoint");
  if (endpointId !== undefined && endpoint !== undefined && endpoint !== endpointId) {
    throw new PublicApiError("NOT_FOUND", "endpoint not found");
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
  return answerOfError(new PublicApiError("METHOD_NOT_ALLOWED", "method not allowed", { allow: methods.join(", ") }));
}
