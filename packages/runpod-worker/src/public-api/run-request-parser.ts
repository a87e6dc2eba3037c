import { isLoopbackHost } from "../network/public-address.ts";
import { isPublicTarget } from "../network/public-lookup.ts";
import { isRecord } from "../protocol/is-record.ts";
import type { ExecutionPolicy, RunRequest } from "../protocol/run-request.ts";
import { PublicApiError } from "./public-api-error.ts";

/** Inclusive ranges of the fields of a job's policy, in milliseconds. */
export interface PolicyBounds {
  readonly executionTimeoutMs: readonly [min: number, max: number];
  readonly ttlMs: readonly [min: number, max: number];
}

const SEVEN_DAYS_MS = 7 * 86_400_000;

/** The documented bounds (spec platform §4.6): 5 s to 7 days, and 10 s to 7 days. */
const DEFAULT_POLICY_BOUNDS: PolicyBounds = {
  executionTimeoutMs: [5000, SEVEN_DAYS_MS],
  ttlMs: [10_000, SEVEN_DAYS_MS],
};

export interface RunRequestRules {
  readonly bounds?: PolicyBounds | undefined;
  /** False refuses webhooks to addresses that are plainly not on the public internet. */
  readonly allowsPrivateWebhooks?: boolean | undefined;
}

/** No real address is longer. */
const MAX_WEBHOOK_CHARS = 4096;

/**
 * Reads the parsed body of `/run` or `/runsync`. `input` may be any JSON value, but must be present.
 *
 * @throws {PublicApiError} INVALID_INPUT when a field is wrong; the message names it
 */
export function parseRunRequest(body: unknown, rules: RunRequestRules = {}): RunRequest {
  if (!isRecord(body)) throw refused("Cannot read the request: the body is not a JSON object");
  if (!Object.hasOwn(body, "input")) throw refused("Cannot run the job: the body has no input");
  const webhook = parseWebhook(body["webhook"], rules.allowsPrivateWebhooks ?? true);
  const policy = parsePolicy(body["policy"], rules.bounds ?? DEFAULT_POLICY_BOUNDS);
  const s3Config = parseS3Config(body["s3Config"]);
  return {
    input: body["input"],
    ...(webhook === undefined ? {} : { webhook }),
    ...(policy === undefined ? {} : { policy }),
    ...(s3Config === undefined ? {} : { s3Config }),
  };
}

function refused(message: string): PublicApiError {
  return new PublicApiError("INVALID_INPUT", message);
}

function parseWebhook(value: unknown, allowsPrivate: boolean): string | undefined {
  if (isAbsent(value)) return undefined;
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (typeof value !== "string" || url === undefined || !/^https?:$/.test(url.protocol)) {
    throw refused("Cannot run the job: webhook must be an http or https address");
  }
  if (value.length > MAX_WEBHOOK_CHARS) {
    throw refused(
      `Cannot run the job: webhook is too long (got ${value.length} characters, limit ${MAX_WEBHOOK_CHARS})`,
    );
  }
  if (!allowsPrivate && (!isPublicTarget(url) || isLoopbackHost(url.hostname))) {
    throw refused("Cannot run the job: webhook must be an address on the public internet");
  }
  return value;
}

function parsePolicy(value: unknown, bounds: PolicyBounds): ExecutionPolicy | undefined {
  if (isAbsent(value)) return undefined;
  if (!isRecord(value)) throw refused("Cannot run the job: policy must be an object");
  const executionTimeout = parseDuration("executionTimeout", value["executionTimeout"], bounds.executionTimeoutMs);
  const ttl = parseDuration("ttl", value["ttl"], bounds.ttlMs);
  const lowPriority = value["lowPriority"];
  if (!isAbsent(lowPriority) && typeof lowPriority !== "boolean") {
    throw refused("Cannot run the job: policy.lowPriority must be true or false");
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
    throw refused(`Cannot run the job: ${why}`);
  }
  return value;
}

function parseS3Config(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (isAbsent(value)) return undefined;
  if (!isRecord(value)) throw refused("Cannot run the job: s3Config must be an object");
  // The worker gets its content unchanged and checks it.
  return value;
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
