import { randomUUID } from "node:crypto";
import { parseFlags, type WorkerFlags } from "./config/flags.ts";
import { type ApiServerMode, chooseRunMode } from "./config/run-mode.ts";
import type { JobProgram } from "./jobs/execute-job.ts";
import { runLocally } from "./local/local-run.ts";
import { chooseLogLevel } from "./logging/log-level.ts";
import { PlatformLogger } from "./logging/logger.ts";
import { Redactor } from "./logging/redactor.ts";
import { nodeProcessSurface, type ProcessSurface, rememberSignals } from "./process-surface.ts";
import { errorMessageOf, errorTypeOf, tracebackOf } from "./results/error-text.ts";
import { DEFAULT_SHUTDOWN_GRACE_MS, type PreparedProcess, runInProduction } from "./start-production.ts";
import type { StartOptions } from "./start-options.ts";
import { REPORTED_VERSION } from "./version.ts";

/** Exit code of a command line that cannot be understood. */
const USAGE_EXIT_CODE = 2;

/**
 * Starts the worker in the mode that flags and environment ask for, and ends the process when it is done.
 * With a surface whose `exit` returns, resolves with the exit code. Never rejects.
 * Source: spec platform §1.1.
 */
export async function start<Input = unknown, Output = unknown>(options: StartOptions<Input, Output>): Promise<number> {
  const { surface, release } = rememberSignals(options.surface ?? nodeProcessSurface());
  const banner = `--- Starting Serverless Worker |  Version ${REPORTED_VERSION} ---`;
  if (options.onLogRecord === undefined) surface.writeOut(`${banner}\n`);
  else options.onLogRecord({ level: "INFO", message: banner, jobId: undefined, kind: "event" });
  const exitCode = await runGuarded(options, surface);
  release();
  surface.exit(exitCode);
  return exitCode;
}

/** An unexpected error must not leave a process that neither works nor ends. */
async function runGuarded<Input, Output>(
  options: StartOptions<Input, Output>,
  surface: ProcessSurface,
): Promise<number> {
  try {
    return await runMode(options, surface);
  } catch (error) {
    createLogger(surface, undefined, options).error(
      `Uncaught exception | ${errorTypeOf(error)}: ${tracebackOf(error)}`,
    );
    return 1;
  }
}

async function runMode<Input, Output>(options: StartOptions<Input, Output>, surface: ProcessSurface): Promise<number> {
  let flags: WorkerFlags;
  try {
    flags = parseFlags(surface.argv);
  } catch (error) {
    createLogger(surface, undefined, options).error(errorMessageOf(error));
    return USAGE_EXIT_CODE;
  }
  const log = createLogger(surface, flags.logLevel, options);
  const workerId = surface.env["RUNPOD_POD_ID"] || randomUUID();
  const program = createProgram(options, surface, log);
  const mode = options.mode ?? chooseRunMode(flags, surface.env);
  if (mode.kind === "local") {
    const { testInput } = mode;
    return runLocally({ program, surface, log, workerId, testInput, onResult: options.onLocalResult });
  }
  if (mode.kind === "production") return runInProduction(options, { surface, log, workerId, program });
  return serveApi(options, { surface, log, workerId, program }, mode);
}

/** Loaded on demand, since a worker on a queue needs no HTTP framework to start. */
async function serveApi<Input, Output>(
  options: StartOptions<Input, Output>,
  prepared: PreparedProcess,
  { host, port, concurrency, healthPort, healthPath }: ApiServerMode,
): Promise<number> {
  const { runApiServer } = await import("./local-api/api-server-mode.ts");
  return runApiServer({
    ...prepared,
    host,
    port,
    concurrency: concurrency ?? options.concurrency ?? 1,
    shutdownGraceMs: options.shutdownGraceMs ?? DEFAULT_SHUTDOWN_GRACE_MS,
    settings: { ...options.api, healthPort, healthPath },
  });
}

function createLogger(
  surface: ProcessSurface,
  levelFlag: string | undefined,
  { onLogRecord, logLevel }: Pick<StartOptions, "onLogRecord" | "logLevel">,
): PlatformLogger {
  const choice = chooseLogLevel(levelFlag, surface.env);
  const { env } = surface;
  const redactor = new Redactor();
  redactor.hold([
    env["RUNPOD_AI_API_KEY"],
    env["RUNPOD_API_KEY"],
    env["BUCKET_ACCESS_KEY_ID"],
    env["BUCKET_SECRET_ACCESS_KEY"],
  ]);
  const isJson = (env["RUNPOD_ENDPOINT_ID"] ?? "") !== "";
  const writeOut = (text: string): void => surface.writeOut(text);
  const level = logLevel ?? choice.level;
  const log = new PlatformLogger({ writeOut, level, isJson, redactor, onRecord: onLogRecord });
  if (choice.warning !== undefined) log.warn(choice.warning);
  return log;
}

function createProgram<Input, Output>(
  options: StartOptions<Input, Output>,
  { env }: ProcessSurface,
  log: PlatformLogger,
): JobProgram {
  return {
    handler: options.handler as JobProgram["handler"],
    inputSchema: options.inputSchema,
    isAggregating: options.returnAggregateStream ?? false,
    origin: {
      hostname: env["RUNPOD_POD_HOSTNAME"] || "unknown",
      workerId: env["RUNPOD_POD_ID"] || "unknown",
      redactor: log.redactor,
    },
  };
}
