import * as higgs from "@higgs-worker/higgs-audio";
import type { SpeechModel } from "@higgs-worker/higgs-audio";
import { compileCacheVariables } from "@higgs-worker/higgs-audio/parts";
import type { Environment } from "../config/load.ts";
import type { Config } from "../config/settings.ts";
import type { LogFields, Logger } from "../logging/logger.ts";
import { cacheDirOf } from "./cache-dir.ts";
import { deviceOptions } from "./devices.ts";
import type { FoundModel } from "./locations.ts";
import { memoryPlanText, MORE_MEMORY } from "./memory-plan-text.ts";

export interface LoadModelOptions {
  readonly logger: Logger;
  /** Whether `auto` may end at the CPU; default true. A worker in production is better replaced. */
  readonly allowCpu?: boolean | undefined;
  /** The environment of this process; the engine's gets variables added to it. Default: it inherits this one's as it is. */
  readonly env?: Environment | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called when the engine's process was replaced after it had ended. */
  readonly onRestart?: (() => void) | undefined;
}

/** Loads a checkpoint for speech. Commands take it as an argument, so that tests can run them without an engine. */
export type ModelLoader = (found: FoundModel, config: Config, options: LoadModelOptions) => Promise<SpeechModel>;

/**
 * Loads it in this process.
 *
 * @throws {HiggsError} MODEL_*, DEVICE_UNAVAILABLE or OUT_OF_MEMORY when it cannot be loaded
 */
export const loadSpeechModel: ModelLoader = async (found, config, options) => {
  // One request at a time is all that a command has.
  const slots = config.maxBatch === "auto" ? 1 : config.maxBatch;
  const model = await higgs.loadSpeechModel({ ...loadOptions(found, config, options), slots });
  logLoaded(model, options.logger);
  return model;
};

/** A model that may become permanently unusable. */
export type ServingModel = SpeechModel & Partial<Pick<higgs.EngineProcess, "state" | "pid">>;

/** Loads a checkpoint for a server or worker, which must survive an engine crash. */
export type EngineStarter = (found: FoundModel, config: Config, options: LoadModelOptions) => Promise<ServingModel>;

/**
 * Starts the engine in its own process.
 *
 * @throws {HiggsError} as `loadSpeechModel` does, and ENGINE_CRASHED
 */
export const startSpeechEngine: EngineStarter = async (found, config, options) => {
  const { env, onRestart } = options;
  const environment = env === undefined ? undefined : { ...env, ...compileCacheVariables(env, cacheDirOf(config)) };
  const model = await higgs.startEngineProcess({
    ...loadOptions(found, config, options),
    host: { onRestart, environment },
  });
  logLoaded(model, options.logger, { enginePid: model.pid });
  return model;
};

function loadOptions(
  found: FoundModel,
  config: Config,
  { logger, signal, allowCpu }: LoadModelOptions,
): higgs.LoadSpeechModelOptions {
  return {
    ...deviceOptions(config, logger),
    allowCpu,
    modelPath: found.modelPath,
    tokenizerPath: found.tokenizerPath,
    weights: config.weights,
    cacheDir: cacheDirOf(config),
    contextLength: config.contextLength,
    slots: config.maxBatch,
    isExact: config.exact ?? false,
    guardThresholds: config.guardThresholds,
    onProgress: createLoadReporter(logger),
    signal,
  };
}

function logLoaded({ name, info, slots }: SpeechModel, logger: Logger, facts: LogFields = {}): void {
  const { device, weights, loadMs, memoryPlan } = info;
  logger.info("the model is loaded", { model: name, device, weights, slots, loadMs: Math.round(loadMs), ...facts });
  logger.info("memory plan", { plan: memoryPlanText(memoryPlan) });
  if (!memoryPlan.isEnough) logger.warn("the memory may not suffice", { fix: MORE_MEMORY });
}

/** Reports each tenth of a step once: converting the released model takes minutes. */
function createLoadReporter(logger: Logger): (progress: higgs.LoadProgress) => void {
  let last = "";
  return ({ step, share }) => {
    const percent = Math.floor(share * 10) * 10;
    const line = `${step} ${percent} %`;
    if (line !== last) logger.info(step === "convert" ? "converting the weights" : "loading the weights", { percent });
    last = line;
  };
}
