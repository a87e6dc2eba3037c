import { HiggsError, toHiggsError } from "@higgs-worker/base";
import type { ApiServerMode, RunMode } from "runpod-worker";
import { readSetting, type SettingFlags } from "../config/load.ts";
import { serveHealthSocket } from "../health/health-socket.ts";
import { jobErrorOf } from "../job/job-error.ts";
import type { LogLevel } from "../logging/logger.ts";
import { type EngineStarter, loadSpeechModel, type ModelLoader, startSpeechEngine } from "../model/load-model.ts";
import { Telemetry } from "../telemetry/telemetry.ts";
import { type CommandIo, EXIT_USAGE } from "../terminal/command-io.ts";
import { printJson } from "../terminal/print-json.ts";
import { type CommandContext, openServingContext, openServingLog } from "./command-context.ts";
import { levelOf, writeInto } from "./runtime-log.ts";
import { SelfReport } from "./self-report.ts";
import { createSpeechService, reasonOf, type SpeechService, type SpeechServiceOptions } from "./speech-service.ts";
import { loadWorkerRuntime, surfaceOf, type WorkerRuntime } from "./worker-runtime.ts";

export interface WorkerArgs {
  /** Everything after `worker`, the runtime's own flags included. */
  readonly argv: readonly string[];
  readonly settings: SettingFlags;
}

export interface WorkerParts {
  /** For one local job. */
  readonly loadModel: ModelLoader;
  /** For all serving modes. */
  readonly startEngine: EngineStarter;
  readonly loadRuntime: () => Promise<WorkerRuntime>;
}

export const WORKER_PARTS: WorkerParts = {
  loadModel: loadSpeechModel,
  startEngine: startSpeechEngine,
  loadRuntime: loadWorkerRuntime,
};

/** What one start of the runtime needs. */
interface WorkerStart {
  readonly mode: RunMode;
  readonly argv: readonly string[];
  readonly io: CommandIo;
  readonly parts: WorkerParts;
  readonly runtime: WorkerRuntime;
}

/** What is logged unless HIGGS_LOG_LEVEL says otherwise. */
function defaultLevelOf({ runtime, argv, io }: Pick<WorkerStart, "runtime" | "argv" | "io">): LogLevel {
  return levelOf(runtime.readLogLevel(argv, io.env));
}

/** Where RunPod's load balancer expects a server by default (spec platform §8.1). */
const LOAD_BALANCER_PORT = "80";

const MAX_PORT = 65_535;

/**
 * `higgs worker`: RunPod's queue, the same API over HTTP, or one local job. Serving modes have the engine in its own
 * process, loaded and warm before the first job, and never use the demo checkpoint; neither does a local job where there
 * is a queue. A local job's result is printed as `{"output": …, "error": …}`, and nothing else on stdout.
 *
 * @throws {HiggsError} INVALID_INPUT for invalid settings (on a queue jobs are answered with it instead), NOT_SUPPORTED
 */
export async function runWorker(args: WorkerArgs, io: CommandIo, parts: WorkerParts = WORKER_PARTS): Promise<number> {
  const runtime = await parts.loadRuntime();
  let mode: RunMode;
  try {
    mode = runtime.readRunMode(args.argv, io.env);
  } catch (error) {
    await io.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT_USAGE;
  }
  const isBalanced = isForLoadBalancer(mode, args, io);
  if (isBalanced) mode = loadBalancerMode(io.env);
  const start: WorkerStart = { mode, argv: args.argv, io, parts, runtime };
  if (mode.kind === "local") return runOneJob(args, start);
  if (mode.kind === "production") return serveQueue(args, start);
  const context = await openServingContext(io, args.settings, defaultLevelOf(start));
  const fallbacks = { allowDemo: false, allowCpu: !isBalanced && !runtime.hasQueue(io.env) };
  return serveModel(context, start, { ...fallbacks, isBalanced });
}

/**
 * Serves RunPod's public API until a signal comes. The port is open at once; jobs wait while the model loads and fail with
 * the reason if it cannot be loaded.
 */
export async function serveApi(
  mode: ApiServerMode,
  context: CommandContext,
  io: CommandIo,
  parts: WorkerParts,
  runtime: WorkerRuntime,
): Promise<number> {
  // On the platform, even a server meant for a laptop must not fall back to the demo voice or the CPU.
  const isLocal = !runtime.hasQueue(io.env);
  const fallbacks = { allowDemo: isLocal, allowCpu: isLocal };
  return serveModel(context, { mode, argv: [], io, parts, runtime }, { ...fallbacks, isBalanced: false });
}

async function serveModel(
  context: CommandContext,
  { mode, argv, io, parts, runtime }: WorkerStart,
  { isBalanced, ...fallbacks }: Fallbacks & { readonly isBalanced: boolean },
): Promise<number> {
  const { config, logger } = context;
  const telemetry = new Telemetry(logger);
  await using service = createServingService(context, io, parts, { ...fallbacks, telemetry });
  await using report = new SelfReport({ config, logger, service, telemetry });
  await using _health = await serveHealthSocket(config.healthSocket, () => service.health(), logger);
  const ready = service.load();
  ready.catch((error: unknown) => {
    if (!io.signal.aborted) logger.error("the model cannot be loaded", { reason: String(error) });
  });
  report.start(ready);
  // Only servers need an HTTP framework.
  const { doorLines, LOAD_BALANCER_LIMITS, openDoors, openWyoming } = await import("../doors/mount-doors.ts");
  await using wyoming = await openWyoming(config, logger, mode.kind === "api-server" ? mode.host : "127.0.0.1");
  const limits = isBalanced ? LOAD_BALANCER_LIMITS : null;
  const { doors, onUpgrade } = await openDoors({
    config,
    logger,
    isDemo: () => service.isDemo(),
    limits,
    onOpen: (parts) => wyoming?.open(parts),
  });
  const { maxInputBytes, maxResultBytes, maxQueue: maxQueuedJobs } = config;
  return await runtime.start({
    mode,
    handler: service.handler,
    concurrency: () => service.slots(),
    api: {
      ready,
      about: () => report.about(),
      health: () => report.health(),
      mount: (api) => report.attach(api),
      apiKey: config.apiKey ?? undefined,
      allowedOrigins: config.corsOrigins,
      rules: { maxInputBytes, maxResultBytes, maxQueuedJobs },
      doors,
      onUpgrade,
      onListening: isBalanced
        ? undefined
        : (url) => {
            // For people; where logs go to a program, they keep their one form.
            if (io.stdout.isTerminal) void io.stdout.write(doorLines(url, { hasKey: config.apiKey !== null }));
            else logger.info("a page to try it", { url });
          },
    },
    ...writeInto(logger),
    surface: surfaceOf(runtime, io, argv),
  });
}

/** What a start may fall back to without being told to. */
type Fallbacks = Pick<SpeechServiceOptions, "allowDemo" | "allowCpu">;

function createServingService(
  { config, logger }: CommandContext,
  { signal, hurry, env }: CommandIo,
  { startEngine }: WorkerParts,
  own: Fallbacks & Pick<SpeechServiceOptions, "telemetry">,
): SpeechService {
  return createSpeechService({ config, logger, signal, hurry, env, startEngine, ...own, isWarmedUp: true });
}

async function serveQueue(args: WorkerArgs, start: WorkerStart): Promise<number> {
  const { mode, argv, io, parts, runtime } = start;
  let context: CommandContext;
  try {
    context = await openServingContext(io, args.settings, defaultLevelOf(start));
  } catch (error) {
    return answerWith(error, args, start);
  }
  const { config, logger } = context;
  const telemetry = new Telemetry(logger);
  await using service = createServingService(context, io, parts, { allowDemo: false, allowCpu: false, telemetry });
  await using report = new SelfReport({ config, logger, service, telemetry });
  await using _health = await serveHealthSocket(config.healthSocket, () => service.health(), logger);
  await report.listen();
  report.logMetrics();
  let tellLoaded = (): void => undefined;
  report.start(new Promise((resolve) => void (tellLoaded = () => resolve(undefined))));
  return await runtime.start({
    mode,
    handler: service.handler,
    concurrency: () => service.slots(),
    fitnessChecks: [
      {
        ...service.fitnessCheck,
        check: async () => {
          try {
            await service.fitnessCheck.check();
          } finally {
            tellLoaded();
          }
        },
      },
    ],
    // The handler answers each job with the reason why there is no model.
    onUnfit: config.onStartFailure === "exit" ? "exit" : "handle",
    onStateChange: (state) => void (state === "draining" && report.drain()),
    ...writeInto(context.logger),
    surface: surfaceOf(runtime, io, argv),
  });
}

/**
 * Invalid settings are still invalid at the next start: instead of restarting endlessly while jobs wait, the worker is
 * unhealthy and answers them with the reason, unless it was told to exit.
 */
async function answerWith(error: unknown, { settings }: WorkerArgs, start: WorkerStart): Promise<number> {
  const { mode, argv, io, runtime } = start;
  if (readSetting("onStartFailure", io.env, settings) === "exit") throw error;
  const log = openServingLog(io, settings, defaultLevelOf(start));
  const { code, message, definition } = toHiggsError(error);
  log.error(message, { code, fix: definition.fix });
  const check = () => {
    throw reasonOf(error);
  };
  return runtime.start({
    mode,
    handler: () => {
      throw jobErrorOf(toHiggsError(error));
    },
    fitnessChecks: [{ name: "settings", check }],
    onUnfit: "handle",
    ...writeInto(log),
    surface: surfaceOf(runtime, io, argv),
  });
}

async function runOneJob(args: WorkerArgs, start: WorkerStart): Promise<number> {
  const { mode, argv, io, parts, runtime } = start;
  // Stdout is only for the result, so that it can be piped.
  const { config, logger } = await openServingContext(io, args.settings, defaultLevelOf(start), io.stderr);
  let printed: Promise<void> = Promise.resolve();
  await using service: SpeechService = createSpeechService({
    config,
    logger,
    signal: io.signal,
    hurry: io.hurry,
    startEngine: parts.loadModel,
    env: io.env,
    // A local job on a machine with a queue must behave like the queue's worker.
    allowDemo: !runtime.hasQueue(io.env),
    allowCpu: !runtime.hasQueue(io.env),
    isWarmedUp: false,
    telemetry: new Telemetry(logger),
  });
  const exitCode = await runtime.start({
    mode,
    handler: service.handler,
    onLocalResult: ({ output, error, hasRun }) => {
      // The runtime's errors about unreadable jobs have no code.
      printed = printJson(io, { output: output ?? null, error: hasRun ? error : `INVALID_INPUT: ${error}` });
    },
    ...writeInto(logger),
    surface: {
      ...surfaceOf(runtime, io, argv),
      writeOut: (text) => void io.stderr.write(text),
    },
  });
  await printed;
  return exitCode;
}

/** Behind a load balancer there is no queue; a server or a job from the command line takes precedence. */
function isForLoadBalancer(mode: RunMode, { settings }: WorkerArgs, { env }: CommandIo): boolean {
  if (mode.kind === "api-server" || (mode.kind === "local" && mode.testInput !== undefined)) return false;
  return readSetting("mode", env, settings) === "lb";
}

/** All addresses, on the ports and with the path of health checks that the platform names (spec platform §8.1). */
function loadBalancerMode(env: CommandIo["env"]): ApiServerMode {
  const port = portOf(env["PORT"] || LOAD_BALANCER_PORT, "PORT");
  const healthPort = env["PORT_HEALTH"] ? portOf(env["PORT_HEALTH"], "PORT_HEALTH") : undefined;
  const healthPath = env["HEALTH_CHECK_PATH"] || undefined;
  if (healthPath !== undefined && !/^\/[\w\-./]*$/.test(healthPath)) {
    const why = `HEALTH_CHECK_PATH is not a path (got ${JSON.stringify(healthPath.slice(0, 80))})`;
    throw new HiggsError("INVALID_INPUT", "listen", why);
  }
  return { kind: "api-server", host: "0.0.0.0", port, healthPort, healthPath };
}

/**
 * A TCP port.
 *
 * @throws {HiggsError} INVALID_INPUT when it is not a whole number from 0 to 65535
 */
export function portOf(text: string, source: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (port <= MAX_PORT) return port;
  throw new HiggsError("INVALID_INPUT", "listen", `${source} is not a port (got ${text}, limit 0 to ${MAX_PORT})`);
}
