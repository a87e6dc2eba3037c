import { collectDecodeCases } from "./codec/decode-cases.ts";
import { collectEncodeCases } from "./codec/encode-cases.ts";
import { collectJobCases } from "./prompts/job-cases.ts";
import { collectGreedyCases } from "./lm/greedy-cases.ts";
import { collectLmCases } from "./lm/lm-cases.ts";
import { collectNativeCases } from "./prompts/native-cases.ts";
import { collectRowCases } from "./prompts/row-cases.ts";
import { collectSequenceCases } from "./sampling/sequence-cases.ts";
import { collectTextCases } from "./prompts/text-cases.ts";
import { collectTokenizerCases } from "./prompts/tokenizer-cases.ts";
import { collectWarperCases } from "./sampling/warper-cases.ts";
import type { GoldenCase, GoldenCollector, GoldenOptions } from "./frame/types.ts";
import { collectResampleCases } from "./resample/resample-cases.ts";

/** All groups in the order in which they run; a group's cases carry its name. */
export const GOLDEN_GROUPS: ReadonlyMap<string, readonly GoldenCollector[]> = new Map([
  ["tokenizer", [collectTokenizerCases]],
  ["prompts", [collectTextCases, collectJobCases, collectNativeCases, collectRowCases]],
  ["sampling", [collectSequenceCases, collectWarperCases]],
  ["lm", [collectLmCases, collectGreedyCases]],
  ["codec", [collectDecodeCases, collectEncodeCases]],
  ["resample", [collectResampleCases]],
]);

/** The cases of a golden set, group after group; all groups unless some are named, and those of here unless others are given. */
export async function* collectGoldenCases(
  directory: string,
  options: GoldenOptions,
  groups: Iterable<string> = GOLDEN_GROUPS.keys(),
  collectors: ReadonlyMap<string, readonly GoldenCollector[]> = GOLDEN_GROUPS,
): AsyncIterable<GoldenCase> {
  for (const group of groups) {
    for (const collect of collectors.get(group) ?? []) yield* collect(directory, options);
  }
}
