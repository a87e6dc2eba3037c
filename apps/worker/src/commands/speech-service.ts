import { setTimeout as sleep } from "node:timers/promises";
import { toHiggsError } from "@higgs-worker/base";
import type { FitnessCheck, Handler } from "runpod-worker";
import type { Config } from "../config/settings.ts";
import { createJobHandler } from "../job/job-handler.ts";
import type { Logger } from "../logging/logger.ts";
import type { EngineStarter, ServingModel } from "../model/load-model.ts";
import { findModel } from "../model/locations.ts";
import { warmUp } from "../model/warm-up.ts";
import { createReferenceServices } from "../references/voices.ts";

export interface SpeechServiceOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Ends loading. */
  readonly signal: AbortSignal;
  /** Ends the wait for an engine that is still at work when the service ends. */
  readonly hurry: AbortSignal;
  readonly startEngine: EngineStarter;
  /** Local commands may speak with the demo checkpoint. */
  readonly allowDemo: boolean;
  /** Speaks a little before the model counts as loaded. */
  readonly isWarmedUp: boolean;
}

/** One model for all jobs, loaded once, and the handler that speaks with it. */
export interface SpeechService extends AsyncDisposable {
  readonly handler: Handler;
  /** Loads the model, or gives the one that is loaded; a failure stays. Throws MODEL_*, DEVICE_UNAVAILABLE … */
  load(): Promise<ServingModel>;
  /** The same as a check of the worker's fitness, whose reason begins with the error's code. */
  readonly fitnessCheck: FitnessCheck;
  /** What is served, for `/health`. */
  about(): Readonly<Record<string, unknown>>;
}

/** Jobs are over or given up when the service ends; an engine that answers no more must not hold the process. */
const END_GRACE_MS = 5_000;

export function createSpeechService(options: SpeechServiceOptions): SpeechService {
  const { config, logger } = options;
  const lifetime = new AbortController();
  const signal = AbortSignal.any([options.signal, lifetime.signal]);
  let loading: Promise<ServingModel> | null = null;
  let loaded: ServingModel | null = null;
  const load = () => {
    loading ??= startModel({ ...options, signal }).then((model) => (loaded = model));
    return loading;
  };
  return {
    load,
    handler: createJobHandler({
      config,
      logger,
      model: load,
      references: createReferenceServices(config),
      isWornOut: () => loaded?.state === "failed",
    }),
    fitnessCheck: { name: "speech engine", check: () => checkLoad(load) },
    about: () => ({ built_with: "Built with Higgs Audio V2", model: describeModel(loaded, config) }),
    [Symbol.asyncDispose]: async () => {
      lifetime.abort();
      const model = await loading?.catch(() => null);
      const grace = sleep(END_GRACE_MS, undefined, { ref: false, signal: options.hurry }).catch(() => undefined);
      await Promise.race([model?.[Symbol.asyncDispose](), grace]);
    },
  };
}

async function startModel(options: SpeechServiceOptions): Promise<ServingModel> {
  const { config, logger, signal, startEngine, allowDemo, isWarmedUp } = options;
  const found = findModel(config, { allowDemo });
  if (found.source === "demo") logger.warn("no Higgs Audio V2 checkpoint was found, the demo checkpoint speaks");
  const model = await startEngine(found, config, { logger, signal });
  if (!isWarmedUp) return model;
  try {
    await warmUp(model, logger, signal);
    return model;
  } catch (error) {
    await model[Symbol.asyncDispose]();
    throw error;
  }
}

/** The platform is told name and message of what a check throws; both together are the error as jobs get it. */
async function checkLoad(load: () => Promise<unknown>): Promise<void> {
  try {
    await load();
  } catch (error) {
    throw reasonOf(error);
  }
}

/** An error as the platform is to be told of it: its name is the code. */
export function reasonOf(error: unknown): Error {
  const { code, message } = toHiggsError(error);
  const reason = new Error(message, { cause: error });
  reason.name = code;
  return reason;
}

function describeModel(model: ServingModel | null, config: Config): Readonly<Record<string, unknown>> | null {
  if (model === null) return null;
  const { layout, device, weights, contextLength } = model.info;
  return {
    name: model.name,
    layout,
    device,
    weights,
    context_length: contextLength,
    slots: config.maxBatch,
    sample_rate: model.sampleRateHz,
    ...(model.state === undefined ? {} : { engine: model.state }),
  };
}
