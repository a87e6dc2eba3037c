import type { Heartbeat } from "../heartbeat/heartbeat.ts";
import { startHeartbeat } from "../heartbeat/start-heartbeat.ts";
import { Concurrency, type ConcurrencyModifier } from "../loop/concurrency.ts";
import { readIdentityConfig } from "../config/worker-config.ts";
import type { FitnessFailure } from "../fitness/fitness-checks.ts";
import type { LogBinding, PlatformLogger } from "../logging/logger.ts";
import type { JobProgram } from "../jobs/execute-job.ts";
import { userAgent } from "../platform/user-agent.ts";
import { putWorkerId } from "../platform/worker-urls.ts";
import type { ProcessSurface } from "../process-surface.ts";
import { errorMessageOf, errorTypeOf } from "../results/error-text.ts";
import { createProgramExecutor } from "./handler-executor.ts";
import { serveLocalApi, type LocalApiServer, type LocalApiServerOptions } from "./local-api-server.ts";

/** Settings of the local API server that have no flag. */
export interface ApiServerSettings extends Omit<
  LocalApiServerOptions,
  "execute" | "host" | "port" | "concurrency" | "workerId" | "log" | "realtimeEndpointId"
> {
  /** Called once with the address of the server, when it listens. */
  readonly onListening?: ((url: string) => void) | undefined;
}

export interface ApiServerModeOptions {
  readonly program: JobProgram;
  readonly surface: ProcessSurface;
  readonly log: PlatformLogger;
  readonly workerId: string;
  readonly host: string;
  readonly port: number;
  readonly concurrency: number | ConcurrencyModifier;
  /** Milliseconds that running jobs get to finish after SIGTERM or SIGINT before they fail. */
  readonly shutdownGraceMs: number;
  readonly settings: ApiServerSettings;
}

/**
 * Serves the local API until a signal and resolves with the exit code (spec platform §5.6, §8.4): from the signal
 * on, `/ping` answers 503, running jobs finish and can still be queried, then the port closes.
 */
export async function runApiServer(options: ApiServerModeOptions): Promise<number> {
  const { surface, log, host, port } = options;
  let server: LocalApiServer;
  let tellUnhealthy = (_failure: FitnessFailure): void => {};
  const unhealthy = new Promise<FitnessFailure>((resolve) => void (tellUnhealthy = resolve));
  try {
    server = await serve(options, tellUnhealthy);
  } catch (error) {
    log.error(`Cannot serve on ${host}:${port}: ${errorMessageOf(error)}`);
    return 1;
  }
  log.info(`Local API listening on ${server.url}`);
  options.settings.onListening?.(server.url);
  const heartbeat = openHeartbeat(options);
  if (heartbeat !== undefined) reportJobs(server, heartbeat);
  try {
    return await untilEnd(server, unhealthy, surface, options);
  } finally {
    // Not awaited: a thread that does not end must not keep the process from exiting.
    void heartbeat?.stop();
  }
}

function serve(
  { program, surface, log, workerId, host, port, ...rest }: ApiServerModeOptions,
  onUnhealthy: (failure: FitnessFailure) => void,
): Promise<LocalApiServer> {
  const logFor = (job: LogBinding): PlatformLogger => log.forJob(job);
  const concurrency = new Concurrency(rest.concurrency, log);
  return serveLocalApi({
    ...rest.settings,
    execute: createProgramExecutor({ program, workerId, workerLog: log, logFor, onUnhealthy }),
    host,
    port,
    concurrency: () => concurrency.next(),
    workerId,
    realtimeEndpointId: surface.env["RUNPOD_ENDPOINT_ID"] || undefined,
    log: (level, message, jobId) => (jobId === undefined ? log : log.forJob({ jobId }))[level](message),
  });
}

/** Resolves with the exit code: 0 after a signal; 1 after a fault, a second signal during jobs, or when unhealthy. */
function untilEnd(
  server: LocalApiServer,
  unhealthy: Promise<FitnessFailure>,
  surface: ProcessSurface,
  options: ApiServerModeOptions,
): Promise<number> {
  const { log, shutdownGraceMs } = options;
  return new Promise((resolve) => {
    let isSignaled = false;
    const finish = (exitCode: number): void => {
      unsubscribeSignals();
      unsubscribeFaults();
      resolve(exitCode);
    };
    const unsubscribeSignals = surface.onShutdownSignal((signal) => {
      log.info(`${signal} received, ${isSignaled ? "exiting at once" : "finishing running jobs"}.`);
      if (isSignaled) finish(server.api.queue.counts.inProgress > 0 ? 1 : 0);
      isSignaled = true;
      void server.close(shutdownGraceMs).then(() => finish(0));
    });
    void unhealthy
      .then(({ name, thrown }) => {
        log.error(`Worker is unhealthy, exiting: ${name} | ${errorTypeOf(thrown)}: ${errorMessageOf(thrown)}`);
        // Running jobs may still succeed, and their clients should learn how they ended.
        return server.close(shutdownGraceMs);
      })
      .then(() => finish(1));
    const unsubscribeFaults = surface.onFault((fault) => {
      log.error(`Unhandled fault, exiting. | ${errorMessageOf(fault)}`);
      void server.close().then(() => finish(1));
    });
  });
}

/** Has the pings carry the running jobs. */
function reportJobs({ api: { queue } }: LocalApiServer, heartbeat: Heartbeat): void {
  const report = (): void => {
    const running = queue.records().filter(({ status }) => status === "IN_PROGRESS");
    heartbeat.setJobs(running.map(({ id }) => id));
  };
  queue.on("started", report);
  queue.on("final", report);
}

/** The API modes also ping if the platform's variables are set (spec platform §1.1). */
function openHeartbeat({ surface, log, workerId }: ApiServerModeOptions): Heartbeat | undefined {
  const identity = readIdentityConfig(surface.env, log);
  // A laptop has none of the variables, which is not worth a log line.
  if (identity.pingTemplate === undefined) return undefined;
  return startHeartbeat({
    url: putWorkerId(identity.pingTemplate, workerId),
    apiKey: identity.apiKey,
    hasPodId: identity.hasPodId,
    userAgent: userAgent(identity.integration),
    intervalMs: identity.pingIntervalMs,
    log,
    onDeath: (detail) => log.error(`The heartbeat ended: ${detail}`),
  });
}
