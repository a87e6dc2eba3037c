import { chooseLogLevel, type LogLevel } from "../logging/log-level.ts";
import { parseFlags, type WorkerFlags } from "./flags.ts";

/** What a process does, decided once at its start (spec platform §1.1). */
export type RunMode = ProductionMode | LocalMode | ApiServerMode;

/** Takes jobs of the queue that the environment names. */
export interface ProductionMode {
  readonly kind: "production";
}

/** Runs one job and ends. */
export interface LocalMode {
  readonly kind: "local";
  /** JSON text of the job; absent = `test_input.json` in the working directory. */
  readonly testInput?: string | undefined;
}

/** Serves the local API. */
export interface ApiServerMode {
  readonly kind: "api-server";
  /** Name or address to listen on. */
  readonly host: string;
  /** 0 to 65535; 0 = any free port. */
  readonly port: number;
  /** Jobs that may run at once; absent = the start option decides. */
  readonly concurrency?: number | undefined;
  /** A second port, for health checks only; absent = they come to `port`. */
  readonly healthPort?: number | undefined;
  /** A path that is answered as `/ping` is, which always exists too. */
  readonly healthPath?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What `start` does with these arguments and this environment, for a program that must know before it starts: pass the
 * answer, or a mode of your own, as `start({ mode })`. An empty `--test_input` counts as none, as in the official SDK.
 *
 * @throws {RunpodWorkerError} INVALID_OPTION when a known flag lacks its value or has an unusable one
 */
export function readRunMode(argv: readonly string[], env: Environment): RunMode {
  return chooseRunMode(parseFlags(argv), env);
}

/**
 * What `start` logs with these arguments and this environment.
 *
 * @throws {RunpodWorkerError} INVALID_OPTION when a known flag lacks its value or has an unusable one
 */
export function readLogLevel(argv: readonly string[], env: Environment): LogLevel {
  return chooseLogLevel(parseFlags(argv).logLevel, env).level;
}

/** Chooses the mode: API server, realtime server, one local run, or the production worker, in this order. */
export function chooseRunMode(flags: WorkerFlags, env: Environment): RunMode {
  const { isApiServer, apiHost: host, apiPort: port, testInput } = flags;
  if (isApiServer) return { kind: "api-server", host, port, concurrency: aboveOne(flags.apiConcurrency) };
  const realtimePort = Number(env["RUNPOD_REALTIME_PORT"] ?? "0");
  if (Number.isInteger(realtimePort) && realtimePort > 0) {
    const concurrency = aboveOne(Number(env["RUNPOD_REALTIME_CONCURRENCY"] ?? "1"));
    return { kind: "api-server", host: "0.0.0.0", port: realtimePort, concurrency };
  }
  return testInput !== undefined || !hasQueue(env) ? { kind: "local", testInput } : { kind: "production" };
}

/** True if the environment names a queue, so the process runs as a worker of the platform. */
export function hasQueue(env: Environment): boolean {
  return (env["RUNPOD_WEBHOOK_GET_JOB"] ?? "") !== "";
}

/** The SDK starts this many processes; here it is the number of concurrent jobs. The SDK's default means "not set". */
function aboveOne(count: number): number | undefined {
  return Number.isInteger(count) && count > 1 ? count : undefined;
}
