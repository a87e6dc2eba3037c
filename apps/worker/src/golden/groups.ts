import { GOLDEN_GROUPS, type GoldenCollector } from "@higgs-worker/higgs-audio";
import { collectResampleCases } from "./resample-cases.ts";

/** The groups of the model, and those of audio files, which the model knows nothing of. */
export const ALL_GOLDEN_GROUPS: ReadonlyMap<string, readonly GoldenCollector[]> = new Map([
  ...GOLDEN_GROUPS,
  ["resample", [collectResampleCases]],
]);
