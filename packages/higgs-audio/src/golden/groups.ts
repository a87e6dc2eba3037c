import { collectDecodeCases } from "./codec-decode.ts";
import { collectEncodeCases } from "./codec-encode.ts";
import { collectJobCases } from "./job-cases.ts";
import { collectGreedyCases } from "./lm-greedy.ts";
import { collectLmCases } from "./lm.ts";
import { collectNativeCases } from "./native-cases.ts";
import { collectRowCases } from "./row-cases.ts";
import { collectSequenceCases } from "./sequence-cases.ts";
import { collectTextCases } from "./text-cases.ts";
import { collectTokenizerCases } from "./tokenizer-cases.ts";
import { collectWarperCases } from "./warper-cases.ts";
import type { GoldenCase, GoldenCollector, GoldenOptions } from "./types.ts";

/** All groups in the order in which they run; a group's cases carry its name. */
export const GOLDEN_GROUPS: ReadonlyMap<string, readonly GoldenCollector[]> = new Map([
  ["tokenizer", [collectTokenizerCases]],
  ["prompts", [collectTextCases, collectJobCases, collectNativeCases, collectRowCases]],
  ["sampling", [collectSequenceCases, collectWarperCases]],
  ["lm", [collectLmCases, collectGreedyCases]],
  ["codec", [collectDecodeCases, collectEncodeCases]],
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
