import { RunpodWorkerError } from "../errors.ts";
import type { Logger } from "../logging/logger.ts";
import { parseTarget } from "../platform/request-target.ts";
import type { UrlTemplates } from "../platform/worker-urls.ts";

/** What the environment says about this worker in any mode (spec platform §2.1). */
export interface IdentityConfig {
  /** Sent raw; empty when there is none. */
  readonly apiKey: string;
  /** True if `RUNPOD_POD_ID` is set; without it the worker sends no pings. */
  readonly hasPodId: boolean;
  /** URL template of the heartbeat. */
  readonly pingTemplate: string | undefined;
  readonly pingIntervalMs: number;
  /** Longest time for running jobs after a shutdown signal; `undefined` = the start option decides. */
  readonly shutdownGraceMs: number | undefined;
  /** Name of a framework for the User-Agent. */
  readonly integration: string | undefined;
}

/** What the environment says about the queue. */
export interface WorkerConfig extends IdentityConfig {
  readonly templates: UrlTemplates;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_PING_INTERVAL_MS = 10_000;
const MIN_PING_INTERVAL_MS = 1_000;

/**
 * Reads the environment of a production worker.
 *
 * @throws {RunpodWorkerError} INVALID_OPTION when a URL is not valid, or jobs could be taken but no result delivered
 */
export function readWorkerConfig(env: Environment, log: Logger): WorkerConfig {
  const done = env["RUNPOD_WEBHOOK_POST_OUTPUT"];
  if (done === undefined || done === "") {
    throw new RunpodWorkerError(
      "INVALID_OPTION",
      "Cannot start: RUNPOD_WEBHOOK_GET_JOB is set but RUNPOD_WEBHOOK_POST_OUTPUT is not, so results would be lost",
    );
  }
  const take = env["RUNPOD_WEBHOOK_GET_JOB"] ?? "";
  requireUrl("RUNPOD_WEBHOOK_GET_JOB", take);
  requireUrl("RUNPOD_WEBHOOK_POST_OUTPUT", done);
  const identity = readIdentityConfig(env, log);
  return {
    ...identity,
    templates: {
      take,
      done,
      stream: readStreamTemplate(env, log),
      ping: identity.pingTemplate,
    },
  };
}

/** Reads what every mode needs. */
export function readIdentityConfig(env: Environment, log: Logger): IdentityConfig {
  return {
    pingTemplate: readPingTemplate(env, log),
    apiKey: env["RUNPOD_AI_API_KEY"] ?? "",
    hasPodId: (env["RUNPOD_POD_ID"] ?? "") !== "",
    pingIntervalMs: readPingInterval(env["RUNPOD_PING_INTERVAL"]),
    shutdownGraceMs: readMilliseconds(env, "RUNPOD_SHUTDOWN_GRACE_MS", log),
    integration: env["RUNPOD_UA_INTEGRATION"],
  };
}

/** A worker that cannot take jobs or report their results must not start. */
function requireUrl(name: string, template: string): void {
  if (isUrl(template)) return;
  throw new RunpodWorkerError("INVALID_OPTION", `Cannot start: ${name} is not a valid http or https URL`);
}

/** A worker can do without streaming and pings, so an invalid URL template is ignored. */
function readOptionalTemplate(name: string, template: string | undefined, log: Logger): string | undefined {
  if (template === undefined || template === "" || isUrl(template)) return template || undefined;
  log.error(`${name} is not a valid http or https URL, ignored.`);
  return undefined;
}

function readStreamTemplate(env: Environment, log: Logger): string | undefined {
  // The second name is in the official SDK's sample environment only (spec platform §2.6).
  const name = env["RUNPOD_WEBHOOK_POST_STREAM"] ? "RUNPOD_WEBHOOK_POST_STREAM" : "RUNPOD_WEBHOOK_JOB_STREAM";
  return readOptionalTemplate(name, env[name], log);
}

function readPingTemplate(env: Environment, log: Logger): string | undefined {
  const ping = env["RUNPOD_WEBHOOK_PING"];
  return ping === "PING_NOT_SET" ? undefined : readOptionalTemplate("RUNPOD_WEBHOOK_PING", ping, log);
}

function isUrl(template: string): boolean {
  return parseTarget(template) !== undefined;
}

/** At least a second; ten seconds if the value is not a number (W74). */
function readPingInterval(text: string | undefined): number {
  const value = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? Math.max(value, MIN_PING_INTERVAL_MS) : DEFAULT_PING_INTERVAL_MS;
}

function readMilliseconds(env: Environment, name: string, log: Logger): number | undefined {
  const text = env[name];
  if (text === undefined || text.trim() === "") return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  log.warn(`${name} is not a number of milliseconds, ignored.`);
  return undefined;
}
