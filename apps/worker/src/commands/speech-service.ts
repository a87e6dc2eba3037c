import { toHiggsError } from "@higgs-worker/base";
import type { FitnessCheck, Handler, JobContext } from "runpod-worker";
import type { Environment } from "../config/load.ts";
import type { Config } from "../config/settings.ts";
import type { WorkerHealth } from "../health/health-socket.ts";
import { type AnyJobHandler, withOpenAiRoutes } from "../doors/openai/passthrough.ts";
import { createJobHandler } from "../job/job-handler.ts";
import type { Logger } from "../logging/logger.ts";
import type { EngineStarter, ServingModel } from "../model/load-model.ts";
import { findModel, type FoundModel } from "../model/locations.ts";
import { ModelKeeper } from "../model/model-keeper.ts";
import { warmUp } from "../model/warm-up.ts";
import { resumeFolderOf } from "../storage/resume/resume-folder.ts";
import { ResumableJobs } from "../storage/resume/resumable-jobs.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { createReferenceServices } from "../references/voices.ts";

export interface SpeechServiceOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Ends loading. */
  readonly signal: AbortSignal;
  /** Ends the wait for an engine that is still busy when the service ends. */
  readonly hurry: AbortSignal;
  readonly startEngine: EngineStarter;
  readonly telemetry: Telemetry;
  /** Local commands may speak with the demo checkpoint. */
  readonly allowDemo: boolean;
  /** Whether the model may run on the CPU without being told to; default true. */
  readonly allowCpu?: boolean | undefined;
  /** Of this process; the engine inherits it unless given. */
  readonly env?: Environment | undefined;
  /** Speaks a little before the model counts as loaded. */
  readonly isWarmedUp: boolean;
}

/** One model for all jobs, loaded once, and the handler that speaks with it. */
export interface SpeechService extends AsyncDisposable {
  readonly handler: Handler;
  /**
   * Loads the model, or gives the one that is loaded; a failure stays until the model is reloaded.
   *
   * @throws {HiggsError} MODEL_*, DEVICE_UNAVAILABLE or OUT_OF_MEMORY when it cannot be loaded
   */
  load(): Promise<ServingModel>;
  /** The same as a fitness check of the worker, whose reason begins with the error's code. */
  readonly fitnessCheck: FitnessCheck;
  /** The model, if one is loaded. */
  loaded(): ServingModel | null;
  /** Jobs that can be done at the same time; of the model that was loaded last. */
  slots(): number;
  /** Whether jobs can be done now, for the health socket. */
  health(): WorkerHealth;
  /** Whether it speaks with the demo checkpoint, as far as it is known. */
  isDemo(): boolean;
  /** What is served, for `/health`. */
  about(): Readonly<Record<string, unknown>>;
}

const CHECK_NAME = "speech engine";
const DAY_MS = 86_400_000;

export function createSpeechService(options: SpeechServiceOptions): SpeechService {
  const { config, logger, hurry, telemetry } = options;
  const lifetime = new AbortController();
  const signal = AbortSignal.any([options.signal, lifetime.signal]);
  const { faultLimit } = config;
  let source: FoundModel["source"] | null = null;
  const start = (): Promise<ServingModel> => {
    const found = findModel(config, options);
    source = found.source;
    return startModel(found, { ...options, signal });
  };
  const keeper = new ModelKeeper({
    start: async () => start(),
    onReload: () => telemetry.metrics.count("engine_restarts", { cause: "reload" }),
    faultLimit,
    idleUnloadMs: config.idleUnloadSeconds === 0 ? null : config.idleUnloadSeconds * 1000,
    logger,
    hurry,
  });
  const load = () => keeper.load();
  const { journal } = telemetry;
  const isDemo = (): boolean => source === "demo";
  const references = createReferenceServices(config);
  const handle = createJobHandler({
    config,
    logger,
    model: load,
    references,
    resumable: resumableJobs(config, logger),
    onFailure: (error) => keeper.noteFailure(error),
    journal,
  });
  return {
    load,
    loaded: () => keeper.loaded,
    slots: () => keeper.slots,
    handler: watched(withOpenAiRoutes({ handle, config, library: references.voices, isDemo, journal }), keeper),
    fitnessCheck: { name: CHECK_NAME, check: () => checkLoad(load) },
    health: () => healthOf(keeper),
    isDemo,
    about: () => ({ built_with: "Built with Higgs Audio V2", model: describeModel(keeper) }),
    [Symbol.asyncDispose]: async () => {
      lifetime.abort();
      await keeper[Symbol.asyncDispose]();
    },
  };
}

function resumableJobs(config: Config, logger: Logger): ResumableJobs | undefined {
  const directory = resumeFolderOf(config);
  return directory === null
    ? undefined
    : new ResumableJobs({ directory, maxAgeMs: config.resumeDays * DAY_MS, logger });
}

/**
 * The same handler, but the keeper repairs the model before the job is answered, so that its slot takes no other job in
 * the meantime; the worker is replaced when that fails.
 */
function watched(handle: AnyJobHandler, keeper: ModelKeeper): Handler {
  const settle = async (context: JobContext): Promise<void> => {
    await keeper.repair();
    keeper.end();
    if (keeper.wornOut !== null) context.reportUnhealthy(CHECK_NAME, reasonOf(keeper.wornOut));
  };
  const noted = (output: object) => {
    if (!("error" in output)) keeper.noteSuccess();
    return output;
  };
  async function answer(output: Promise<object>, context: JobContext): Promise<object> {
    keeper.begin();
    try {
      return noted(await output);
    } finally {
      await settle(context);
    }
  }
  async function* stream(items: AsyncGenerator<unknown, object>, context: JobContext): AsyncGenerator<unknown, object> {
    keeper.begin();
    try {
      return noted(yield* items);
    } finally {
      await settle(context);
    }
  }
  return (job, context) => {
    const output = handle(job, context);
    return output instanceof Promise ? answer(output, context) : stream(output, context);
  };
}

async function startModel(found: FoundModel, options: SpeechServiceOptions): Promise<ServingModel> {
  const { config, logger, signal, startEngine, allowCpu, env, isWarmedUp, telemetry } = options;
  if (found.source === "demo") logger.warn("no Higgs Audio V2 checkpoint was found: using the demo checkpoint");
  const onRestart = () => telemetry.metrics.count("engine_restarts", { cause: "crash" });
  const start = () => startEngine(found, config, { logger, signal, allowCpu, env, onRestart });
  const model = await start();
  if (!isWarmedUp) return model;
  try {
    return await warmed(model, options);
  } catch (error) {
    if (toHiggsError(error).code !== "MODEL_CORRUPT") throw error;
    // The checkpoint has been read without a fault: its conversion is damaged, was removed, and is made again by the next load.
    logger.warn("reloading the model", { reason: String(error) });
    return warmed(await start(), options);
  }
}

/** The same model after it has spoken; ends it when it cannot speak. */
async function warmed(model: ServingModel, { logger, signal }: SpeechServiceOptions): Promise<ServingModel> {
  try {
    await warmUp(model, logger, signal);
    return model;
  } catch (error) {
    await model[Symbol.asyncDispose]();
    throw error;
  }
}

/** The platform gets the name and message of a failed check; together they read like the error that jobs get. */
async function checkLoad(load: () => Promise<unknown>): Promise<void> {
  try {
    await load();
  } catch (error) {
    throw reasonOf(error);
  }
}

/** An error for the platform: its name is the code. */
export function reasonOf(error: unknown): Error {
  const { code, message } = toHiggsError(error);
  const reason = new Error(message, { cause: error });
  reason.name = code;
  return reason;
}

function healthOf({ loaded, loadFailure, wornOut, isResting }: ModelKeeper): WorkerHealth {
  const failure = wornOut ?? loadFailure;
  if (failure !== null) return { status: "failed", reason: String(failure) };
  if (loaded?.state === "failed") return { status: "failed", reason: "the engine keeps ending" };
  if (isResting) return { status: "ready", reason: "the model is unloaded until the next job" };
  const isLoading = loaded === null || loaded.state === "starting";
  return { status: isLoading ? "loading" : "ready", reason: null };
}

function describeModel({ loaded: model, isResting }: ModelKeeper): Readonly<Record<string, unknown>> | null {
  if (model === null) return isResting ? { engine: "unloaded" } : null;
  const { layout, device, weights, contextLength } = model.info;
  return {
    name: model.name,
    layout,
    device,
    weights,
    context_length: contextLength,
    slots: model.slots,
    sample_rate: model.sampleRateHz,
    ...(model.state === undefined ? {} : { engine: model.state }),
  };
}
