import { HiggsError } from "@higgs-worker/errors";
import type { Logger } from "../logging/logger.ts";

export interface ConvertOptions {
  readonly weights: "bf16" | "q8_0" | "q4_k";
  readonly cacheDir: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onProgress: (share: number) => void;
}

export interface ConvertedModel {
  readonly path: string;
  readonly sizeBytes: number;
  /** False when the cache had it already. */
  readonly isNew: boolean;
}

export type ModelConverter = (directory: string, options: ConvertOptions) => Promise<ConvertedModel>;

/** The real one. */
export const convertModel: ModelConverter = async (directory) => {
  throw new HiggsError("NOT_SUPPORTED", `Cannot convert the model: this build has no converter (got ${directory})`);
};
