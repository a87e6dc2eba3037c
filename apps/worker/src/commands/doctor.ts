import { toHiggsError } from "@higgs-worker/base";
import type { CheckResult } from "../doctor/check.ts";
import { DOCTOR_CHECKS } from "../doctor/checks.ts";
import type { SettingFlags } from "../config/load.ts";
import { EXIT_FAILED, EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { alignColumns } from "../terminal/format.ts";
import { printJson } from "../terminal/print-json.ts";
import { openCommandContext } from "./command-context.ts";

export interface DoctorArgs {
  readonly isJson: boolean;
  readonly settings: SettingFlags;
}

interface NamedResult extends CheckResult {
  readonly name: string;
}

/** `higgs doctor`: one line per check: ok, or what is wrong and what to do. Exit code 1 when a check fails. */
export async function runDoctor(args: DoctorArgs, io: CommandIo): Promise<number> {
  const context = await openCommandContext(io, args.settings);
  const results: NamedResult[] = [];
  for (const { name, check } of DOCTOR_CHECKS) {
    const result = await check({ ...context, env: io.env, signal: io.signal }).catch(failureOf);
    results.push({ name, ...result });
    if (!args.isJson) await io.stdout.write(`${line({ name, ...result })}\n`);
  }
  if (args.isJson) await printJson(io, results);
  return results.some(({ status }) => status === "failed") ? EXIT_FAILED : EXIT_OK;
}

function failureOf(error: unknown): CheckResult {
  const higgsError = toHiggsError(error);
  return { status: "failed", detail: higgsError.toString(), fix: higgsError.definition.fix };
}

function line({ name, status, detail, fix }: NamedResult): string {
  const first = alignColumns([[status.padEnd(7), name.padEnd(8), detail]]);
  return fix === null ? first : `${first}\n${" ".repeat(19)}-> ${fix}`;
}
