import type { ExecutionPolicy, RunRequest } from "../protocol/run-request.ts";
import { PublicApiError } from "./public-api-error.ts";

/** What the fields of a job's policy may be, in milliseconds, both ends included. */
export interface PolicyBounds {
  readonly executionTimeoutMs: readonly [min: number, max: number];
  readonly ttlMs: readonly [min: number, max: number];
}

const SEVEN_DAYS_MS = 7 * 86_400_000;

/** The documented bounds (spec platform §4.6): 5 s to 7 days, and 10 s to 7 days. */
export const DEFAULT_POLICY_BOUNDS: PolicyBounds = {
  executionTimeoutMs: [5000, SEVEN_DAYS_MS],
  ttlMs: [10_000, SEVEN_DAYS_MS],
};

/**
 * Reads the body of `/run` or `/runsync`. `input` may be any JSON value, but must be there.
 * @throws PublicApiError 400, naming the field that is wrong.
 */
export function parseRunRequest(text: string, bounds: PolicyBounds): RunRequest {
  const body = parseObject(text);
  if (!("input" in body)) throw new PublicApiError(400, "Cannot run the job: the body has no input");
  const webhook = parseWebhook(body["webhook"]);
  const policy = parsePolicy(body["policy"], bounds);
  const s3Config = parseS3Config(body["s3Config"]);
  return {
    input: body["input"],
    ...(webhook === undefined ? {} : { webhook }),
    ...(policy === undefined ? {} : { policy }),
    ...(s3Config === undefined ? {} : { s3Config }),
  };
}

function parseObject(text: string): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new PublicApiError(400, "Cannot read the request: the body is not JSON");
  }
  if (!isObject(body)) throw new PublicApiError(400, "Cannot read the request: the body is not a JSON object");
  return body;
}

function parseWebhook(value: unknown): string | undefined {
  if (isAbsent(value)) return undefined;
  const isWebAddress = typeof value === "string" && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
  if (!isWebAddress) throw new PublicApiError(400, "Cannot run the job: webhook must be an http or https address");
  return value;
}

function parsePolicy(value: unknown, bounds: PolicyBounds): ExecutionPolicy | undefined {
  if (isAbsent(value)) return undefined;
  if (!isObject(value)) throw new PublicApiError(400, "Cannot run the job: policy must be an object");
  const executionTimeout = parseDuration("executionTimeout", value["executionTimeout"], bounds.executionTimeoutMs);
  const ttl = parseDuration("ttl", value["ttl"], bounds.ttlMs);
  const lowPriority = value["lowPriority"];
  if (!isAbsent(lowPriority) && typeof lowPriority !== "boolean") {
    throw new PublicApiError(400, "Cannot run the job: policy.lowPriority must be true or false");
  }
  return {
    ...(executionTimeout === undefined ? {} : { executionTimeout }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(typeof lowPriority === "boolean" ? { lowPriority } : {}),
  };
}

function parseDuration(name: string, value: unknown, [min, max]: readonly [number, number]): number | undefined {
  // Clients write 0 for "the default".
  if (isAbsent(value) || value === 0) return undefined;
  if (typeof value !== "number" || !(value >= min && value <= max)) {
    const got = typeof value === "number" ? String(value) : typeof value;
    const why = `policy.${name} must be a number of milliseconds (got ${got}, limit ${min} to ${max})`;
    throw new PublicApiError(400, `Cannot run the job: ${why}`);
  }
  return value;
}

function parseS3Config(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (isAbsent(value)) return undefined;
  if (!isObject(value)) throw new PublicApiError(400, "Cannot run the job: s3Config must be an object");
  // Its content is the business of the worker, which gets it as it is.
  return value;
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
