import { toHiggsError } from "@higgs-worker/base";
import type { SettingFlags } from "../config/load.ts";
import { findModel, modelPlaces, type FoundModel, type ModelLocation } from "../model/locations.ts";
import { EXIT_FAILED, EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { alignColumns } from "../terminal/format.ts";
import { printJson } from "../terminal/print-json.ts";
import { openCommandContext } from "./command-context.ts";

export interface ModelsWhereArgs {
  readonly isJson: boolean;
  readonly settings: SettingFlags;
}

/** `higgs models where`: the search order, what was found, and which model would be used. */
export async function runModelsWhere(args: ModelsWhereArgs, io: CommandIo): Promise<number> {
  const { config } = await openCommandContext(io, args.settings);
  const options = { allowDemo: true };
  const places = modelPlaces(config, options);
  let found: FoundModel | null = null;
  let reason: string | null = null;
  try {
    found = findModel(config, options);
  } catch (error) {
    reason = toHiggsError(error).toString();
  }
  if (args.isJson) await printJson(io, { ...places, used: found, error: reason });
  else await io.stdout.write(describe(places.model, places.tokenizer, found, reason));
  return found === null ? EXIT_FAILED : EXIT_OK;
}

function describe(
  model: readonly ModelLocation[],
  tokenizer: readonly ModelLocation[],
  found: FoundModel | null,
  reason: string | null,
): string {
  const rows = (title: string, places: readonly ModelLocation[]) =>
    `${title}\n${alignColumns(places.map(({ isFound, label, path }) => [`  ${isFound ? "found" : "-"}`, label, path]))}\n`;
  const used =
    found === null
      ? `\n${reason ?? ""}\n`
      : `\nUsed: ${found.modelPath}\n      ${found.tokenizerPath}\n` +
        (found.source === "demo" ? "      The production worker never uses the demo checkpoint.\n" : "");
  return `${rows("Generation model, in search order", model)}\n${rows("Audio tokenizer", tokenizer)}${used}`;
}
