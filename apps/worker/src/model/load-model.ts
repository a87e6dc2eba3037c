import { HiggsError } from "@higgs-worker/errors";
import type { SpeechModel } from "@higgs-worker/higgs-audio";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import type { FoundModel } from "./locations.ts";

export interface LoadModelOptions {
  readonly logger: Logger;
  readonly signal?: AbortSignal;
}

/** Loads a checkpoint for speech. Commands take one as an argument, so that they run without an engine in tests. */
export type ModelLoader = (found: FoundModel, config: Config, options: LoadModelOptions) => Promise<SpeechModel>;

/** The real one. Throws the engine's MODEL_*, DEVICE_UNAVAILABLE and OUT_OF_MEMORY errors. */
export const loadSpeechModel: ModelLoader = async (found) => {
  throw new HiggsError("NOT_SUPPORTED", `Cannot load the model: this build has no engine (got ${found.modelPath})`);
};
