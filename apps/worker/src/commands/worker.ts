import { HiggsError, toHiggsError } from "@higgs-worker/base";
import type { ProcessSurface } from "runpod-worker";
import type { SettingFlags } from "../config/load.ts";
import { type EngineStarter, loadSpeechModel, type ModelLoader, startSpeechEngine } from "../model/load-model.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { errorText } from "../terminal/error-text.ts";
import { openSession, printJson, type Session } from "./session.ts";
import { createSpeechService, reasonOf, type SpeechService } from "./speech-service.ts";
import { loadWorkerRuntime, type WorkerRuntime } from "./worker-runtime.ts";

export interface WorkerArgs {
  /** Everything after `worker`, the runtime's own flags included. */
  readonly argv: readonly string[];
  readonly settings: SettingFlags;
}

export interface WorkerParts {
  /** For one local job. */
  readonly loadModel: ModelLoader;
  /** For everything that serves. */
  readonly startEngine: EngineStarter;
  readonly loadRuntime: () => Promise<WorkerRuntime>;
}

export const WORKER_PARTS: WorkerParts = {
  loadModel: loadSpeechModel,
  startEngine: startSpeechEngine,
  loadRuntime: loadWorkerRuntime,
};

/** Where RunPod's load balancer looks for a server that says nothing else (spec platform §8.1). */
const LOAD_BALANCER_PORT = "80";

/**
 * `higgs worker`: RunPod's queue, the same API over HTTP, or one local job. Whatever serves has the engine in a process of
 * its own, loaded and warm before the first job, and never speaks with the demo checkpoint. A local job's result is printed
 * as `{"output": …, "error": …}`, and nothing else on stdout.
 *
 * @throws HiggsError INVALID_INPUT for wrong settings (on a queue jobs are answered with it instead), NOT_SUPPORTED
 */
export async function runWorker(args: WorkerArgs, io: CommandIo, parts: WorkerParts = WORKER_PARTS): Promise<number> {
  const kind = runKindOf(args, io.env);
  if (kind === "local") return runOneJob(args, io, parts);
  if (kind === "queue") {
    let session: Session;
    try {
      session = await openSession(io, args.settings, { isQuiet: false });
    } catch (error) {
      return answerWith(error, args, io, parts);
    }
    return serveQueue(args.argv, session, io, parts);
  }
  const session = await openSession(io, args.settings, { isQuiet: false });
  const argv = kind === "load balancer" ? loadBalancerArgv(io.env) : args.argv;
  return serveApi(argv, session, io, parts, { allowDemo: false });
}

/**
 * Serves RunPod's public API on host and port of the runtime's flags until a signal comes. The port is open at once; jobs
 * wait while the model loads, and if it cannot be loaded are answered with the reason.
 */
export async function serveApi(
  argv: readonly string[],
  session: Session,
  io: CommandIo,
  parts: WorkerParts,
  options: { readonly allowDemo: boolean },
): Promise<number> {
  const { config, logger } = session;
  const runtime = await parts.loadRuntime();
  await using service = createServingService(session, io, parts, options);
  const ready = service.load();
  ready.catch((error: unknown) => logger.error("the model cannot be loaded", { reason: String(error) }));
  return await runtime.start({
    handler: service.handler,
    concurrency: config.maxBatch,
    api: { ready, about: () => service.about(), ...(config.apiKey === null ? {} : { apiKey: config.apiKey }) },
    surface: surfaceOf(runtime, io, argv),
  });
}

function createServingService(
  { config, logger }: Session,
  { signal }: CommandIo,
  { startEngine }: WorkerParts,
  { allowDemo }: { readonly allowDemo: boolean },
): SpeechService {
  return createSpeechService({ config, logger, signal, startEngine, allowDemo, isWarmedUp: true });
}

async function serveQueue(
  argv: readonly string[],
  session: Session,
  io: CommandIo,
  parts: WorkerParts,
): Promise<number> {
  const { config } = session;
  const runtime = await parts.loadRuntime();
  await using service = createServingService(session, io, parts, { allowDemo: false });
  return await runtime.start({
    handler: service.handler,
    concurrency: config.maxBatch,
    fitnessChecks: [service.fitnessCheck],
    // The handler answers each job with the reason for which the model is not there.
    onUnfit: config.onStartFailure === "exit" ? "exit" : "handle",
    surface: surfaceOf(runtime, io, argv),
  });
}

/**
 * Settings that cannot be read are as wrong at the next start: rather than end again and again while jobs wait, the worker
 * is unhealthy and answers them with the reason, unless it was told to exit.
 */
async function answerWith(error: unknown, args: WorkerArgs, io: CommandIo, parts: WorkerParts): Promise<number> {
  const onStartFailure = args.settings.onStartFailure ?? io.env["HIGGS_ON_START_FAILURE"];
  if (onStartFailure?.trim().toLowerCase() === "exit") throw error;
  await io.stderr.write(errorText(error, { withStack: false }));
  const runtime = await parts.loadRuntime();
  const check = () => {
    throw reasonOf(error);
  };
  return runtime.start({
    handler: () => ({ error: toHiggsError(error).toString() }),
    fitnessChecks: [{ name: "settings", check }],
    onUnfit: "handle",
    surface: surfaceOf(runtime, io, args.argv),
  });
}

async function runOneJob(args: WorkerArgs, io: CommandIo, parts: WorkerParts): Promise<number> {
  const { config, logger } = await openSession(io, args.settings, { isQuiet: true });
  const runtime = await parts.loadRuntime();
  let printed: Promise<void> = Promise.resolve();
  await using service: SpeechService = createSpeechService({
    config,
    logger,
    signal: io.signal,
    startEngine: parts.loadModel,
    allowDemo: true,
    isWarmedUp: false,
  });
  const exitCode = await runtime.start({
    handler: service.handler,
    onLocalResult: ({ output, error, hasRun }) => {
      // What the runtime says of a job that it cannot read has no code.
      printed = printJson(io, { output: output ?? null, error: hasRun ? error : `INVALID_INPUT: ${error}` });
    },
    surface: {
      ...surfaceOf(runtime, io, args.argv),
      // Stdout is for the result alone, so that it can be piped.
      writeOut: (text) => void io.stderr.write(text),
    },
  });
  await printed;
  return exitCode;
}

/** The process as the runtime sees it; this command ends it. */
function surfaceOf(runtime: WorkerRuntime, io: CommandIo, argv: readonly string[]): ProcessSurface {
  return {
    ...runtime.nodeProcessSurface(),
    argv,
    env: io.env,
    workingDirectory: io.workingDirectory,
    writeOut: (text) => void io.stdout.write(text),
    exit: () => undefined,
  };
}

type RunKind = "local" | "api" | "queue" | "load balancer";

/** As the runtime chooses (spec platform §1.1): by flag, or by the platform's variables. */
function runKindOf({ argv, settings }: WorkerArgs, env: CommandIo["env"]): RunKind {
  const has = (flag: string) => argv.some((argument) => argument === flag || argument.startsWith(`${flag}=`));
  if (has("--rp_serve_api") || Number(env["RUNPOD_REALTIME_PORT"] ?? "0") > 0) return "api";
  if (has("--test_input")) return "local";
  if ((settings.mode ?? env["HIGGS_MODE"] ?? "").toLowerCase() === "lb") return "load balancer";
  return (env["RUNPOD_WEBHOOK_GET_JOB"] ?? "") === "" ? "local" : "queue";
}

/** All addresses, on the port that the platform names. Throws NOT_SUPPORTED for a health server of its own. */
function loadBalancerArgv(env: CommandIo["env"]): string[] {
  const port = env["PORT"] || LOAD_BALANCER_PORT;
  const healthPort = env["PORT_HEALTH"] || port;
  if (healthPort !== port) {
    throw new HiggsError(
      "NOT_SUPPORTED",
      "serve /ping on a port of its own",
      `leave PORT_HEALTH out (got ${healthPort}, PORT is ${port})`,
    );
  }
  return ["--rp_serve_api", "--rp_api_host", "0.0.0.0", "--rp_api_port", port];
}
