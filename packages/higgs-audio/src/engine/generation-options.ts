import { HiggsError } from "@higgs-worker/base";
import type { WarpOptions } from "./sampling/sampler.ts";

/** How codes are drawn (spec model §8.2, §8.4). */
export interface SamplingOptions extends WarpOptions {
  /** Columns that RAS looks back at; 0 turns RAS off. */
  readonly rasWinLen: number;
  /** Repeats within the window from which RAS redraws; 0 turns RAS off. */
  readonly rasWinMaxNumRepeat: number;
}

/** How the columns of one sequence are generated. */
export interface GenerationOptions {
  readonly sampling: SamplingOptions;
  /** Columns of a sequence, the all-BOS column included (spec model §8.6); C columns give C − 9 frames. */
  readonly maxColumns: number;
}

/** The reference's command line defaults (spec model §8.7). */
export const DEFAULT_SAMPLING: SamplingOptions = {
  temperature: 1,
  topK: 50,
  topP: 0.95,
  rasWinLen: 7,
  rasWinMaxNumRepeat: 2,
};

/** The reference's command line default (spec model §8.7): about 81 seconds of audio. */
export const DEFAULT_MAX_COLUMNS = 2048;

const LARGEST_TEMPERATURE = 2;

/** Whether RAS redraws at all: a window or a repeat count of 0 turns it off. */
export function isRasOn({ rasWinLen, rasWinMaxNumRepeat }: SamplingOptions): boolean {
  return rasWinLen > 0 && rasWinMaxNumRepeat > 0;
}

/**
 * Checks every option at once.
 *
 * @param limits idsPerCodebook: ids per codebook, the largest useful top-k; maxColumns: what the context has room for
 * @throws {HiggsError} INVALID_INPUT listing all problems
 */
export function checkGenerationOptions(
  options: GenerationOptions,
  limits: { readonly idsPerCodebook: number; readonly maxColumns: number },
): void {
  const { temperature, topK, topP, minP = 0, rasWinLen, rasWinMaxNumRepeat } = options.sampling;
  const problems: string[] = [];
  const check = (isRight: boolean, name: string, value: number, limit: string) => {
    if (!isRight) problems.push(`${name} (got ${value}, limit ${limit})`);
  };
  check(
    temperature >= 0 && temperature <= LARGEST_TEMPERATURE,
    "temperature",
    temperature,
    `0 … ${LARGEST_TEMPERATURE}`,
  );
  check(isIntegerIn(topK, 0, limits.idsPerCodebook), "top-k", topK, `0 … ${limits.idsPerCodebook}`);
  check(topP > 0 && topP <= 1, "top-p", topP, "above 0, up to 1");
  check(minP >= 0 && minP < 1, "min-p", minP, "0 up to below 1");
  check(isIntegerIn(rasWinLen, 0, limits.maxColumns), "RAS window", rasWinLen, `0 … ${limits.maxColumns}`);
  check(
    isIntegerIn(rasWinMaxNumRepeat, 0, limits.maxColumns),
    "RAS repeats",
    rasWinMaxNumRepeat,
    `0 … ${limits.maxColumns}`,
  );
  check(
    isIntegerIn(options.maxColumns, 1, limits.maxColumns),
    "columns",
    options.maxColumns,
    `1 … ${limits.maxColumns}`,
  );
  if (problems.length === 0) return;
  throw new HiggsError("INVALID_INPUT", "generate with these options", problems.join("; "), { problems });
}

function isIntegerIn(value: number, smallest: number, largest: number): boolean {
  return Number.isInteger(value) && value >= smallest && value <= largest;
}
