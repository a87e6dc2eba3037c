import {
  collectGoldenCases,
  computeOn,
  GOLDEN_GROUPS,
  runGoldenCase,
  unpackBundledSet,
  type UnpackedSet,
} from "@higgs-worker/parity";
import { HiggsError } from "@higgs-worker/base";
import type { SettingFlags } from "../config/load.ts";
import { openDevice } from "../model/devices.ts";
import { suggestion } from "../names/nearest-name.ts";
import { EXIT_FAILED, EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { printJson } from "../terminal/print-json.ts";
import { openCommandContext } from "./command-context.ts";

export interface VerifyGoldenArgs {
  /** Folder of a golden set; null for the small one that ships here. */
  readonly directory: string | null;
  /** Groups to run; all when empty. */
  readonly groups: readonly string[];
  /** Run only cases whose `group/name` contains this; null for all. */
  readonly caseFilter: string | null;
  /** Print the names instead of running the cases. */
  readonly isList: boolean;
  /** A `tokenizer.json` with the full vocabulary. */
  readonly fullTokenizer: string | null;
  readonly isJson: boolean;
  readonly settings: SettingFlags;
}

/** `higgs verify-golden [DIR]`: runs every golden case on this build; one line per case, then the counts. */
export async function runVerifyGolden(args: VerifyGoldenArgs, io: CommandIo): Promise<number> {
  const groups = checkGroups(args.groups);
  const { config, logger } = await openCommandContext(io, args.settings);
  await using set = args.directory === null ? await unpackBundledSet() : useSet(args.directory);
  const device = config.device === "auto" ? "cpu" : config.device;
  const backend = await openDevice({ ...config, device }, logger, io.signal);
  // The checkpoints are tiny: more threads would mostly wait for each other.
  if (config.threads === 0) backend.setThreads(1);
  const compute = computeOn(backend);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    const options = { compute, fullTokenizerPath: args.fullTokenizer ?? undefined };
    for await (const golden of collectGoldenCases(set.directory, options, groups)) {
      if (io.signal.aborted) throw new HiggsError("CANCELLED", "finish the comparison", "it was cancelled");
      const name = `${golden.group}/${golden.name}`;
      if (args.caseFilter !== null && !name.includes(args.caseFilter)) continue;
      if (args.isList) {
        await io.stdout.write(`${name}\n`);
        continue;
      }
      const outcome = await runGoldenCase(golden);
      counts[outcome.status]++;
      if (args.isJson) await printJson(io, { group: golden.group, name: golden.name, ...outcome });
      else await io.stdout.write(caseLine(name, outcome));
    }
  } finally {
    backend[Symbol.dispose]();
  }
  if (args.isList) return EXIT_OK;
  const total = counts.passed + counts.failed;
  if (args.isJson) await printJson(io, counts);
  else
    await io.stdout.write(
      `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""}\n`,
    );
  return counts.failed > 0 || total === 0 ? EXIT_FAILED : EXIT_OK;
}

/** A set that is already in a folder. */
function useSet(directory: string): UnpackedSet {
  return { directory, [Symbol.asyncDispose]: async () => undefined };
}

function caseLine(name: string, outcome: Awaited<ReturnType<typeof runGoldenCase>>): string {
  const error = outcome.largestError === 0 ? "exact" : `largest error ${outcome.largestError.toExponential(1)}`;
  const detail = outcome.detail === "" ? "" : `  ${outcome.detail}`;
  return `${outcome.status.padEnd(7)} ${name}  ${outcome.status === "skipped" ? "" : error}${detail}\n`;
}

function checkGroups(groups: readonly string[]): readonly string[] {
  const known = [...GOLDEN_GROUPS.keys()];
  for (const group of groups) {
    if (!known.includes(group)) {
      throw new HiggsError(
        "INVALID_INPUT",
        "run the golden group",
        `no group has this name (got ${group}, known ${known.join(", ")})${suggestion(group, known)}`,
      );
    }
  }
  return groups.length === 0 ? known : groups;
}
