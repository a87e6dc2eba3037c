import { convertCheckpoint, type ConvertedModel, type WeightFormat } from "@higgs-worker/higgs-audio";
import { openCheckpoint } from "@higgs-worker/higgs-audio/parts";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import { cacheDirOf } from "./cache-dir.ts";
import { loadCpuLibrary } from "./devices.ts";

export interface ConvertOptions {
  readonly weights: WeightFormat;
  readonly config: Config;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onProgress: (share: number) => void;
}

export type ModelConverter = (directory: string, options: ConvertOptions) => Promise<ConvertedModel>;

/**
 * Converts with the real engine.
 *
 * @throws {HiggsError} MODEL_*, VOLUME_UNAVAILABLE or CANCELLED
 */
export const convertModel: ModelConverter = async (directory, { weights, config, logger, signal, onProgress }) => {
  await using checkpoint = await openCheckpoint(directory);
  return await convertCheckpoint(loadCpuLibrary(config, logger), checkpoint, {
    format: weights,
    cacheDir: cacheDirOf(config),
    signal,
    onProgress: (done, total) => onProgress(done / total),
    onWaiting: () => logger.info("waiting for another process that is converting the same model"),
  });
};
