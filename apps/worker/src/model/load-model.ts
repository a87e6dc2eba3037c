import * as higgs from "@higgs-worker/higgs-audio";
import type { SpeechModel } from "@higgs-worker/higgs-audio";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import { cacheDirOf } from "./cache-dir.ts";
import { deviceOptions } from "./devices.ts";
import type { FoundModel } from "./locations.ts";

export interface LoadModelOptions {
  readonly logger: Logger;
  readonly signal?: AbortSignal;
}

/** Loads a checkpoint for speech. Commands take one as an argument, so that they run without an engine in tests. */
export type ModelLoader = (found: FoundModel, config: Config, options: LoadModelOptions) => Promise<SpeechModel>;

/** The real one. Throws the engine's MODEL_*, DEVICE_UNAVAILABLE and OUT_OF_MEMORY errors. */
export const loadSpeechModel: ModelLoader = async (found, config, { logger, signal }) => {
  const report = createLoadReporter(logger);
  const model = await higgs.loadSpeechModel({
    ...deviceOptions(config, logger),
    modelPath: found.modelPath,
    tokenizerPath: found.tokenizerPath,
    weights: config.weights,
    cacheDir: cacheDirOf(config),
    contextLength: config.contextLength,
    slots: config.maxBatch,
    onProgress: report,
    ...(signal === undefined ? {} : { signal }),
  });
  const { device, weights, loadMs } = model.info;
  logger.info("the model is loaded", { model: model.name, device, weights, loadMs: Math.round(loadMs) });
  return model;
};

/** Reports each tenth of a step once: conversion of the released model takes minutes. */
function createLoadReporter(logger: Logger): (progress: higgs.LoadProgress) => void {
  let last = "";
  return ({ step, share }) => {
    const percent = Math.floor(share * 10) * 10;
    const line = `${step} ${percent} %`;
    if (line !== last) logger.info(step === "convert" ? "converting the weights" : "loading the weights", { percent });
    last = line;
  };
}
