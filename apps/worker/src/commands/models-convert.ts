import { HiggsError } from "@higgs-worker/base";
import type { SettingFlags } from "../config/load.ts";
import { convertModel, type ModelConverter } from "../model/convert-model.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { formatBytes } from "../terminal/format.ts";
import { printJson } from "../terminal/print-json.ts";
import { openCommandContext } from "./command-context.ts";

export interface ModelsConvertArgs {
  readonly directory: string;
  readonly isJson: boolean;
  readonly settings: SettingFlags;
}

/** `higgs models convert DIR --weights q8_0`: fills the cache before the first start. */
export async function runModelsConvert(
  args: ModelsConvertArgs,
  io: CommandIo,
  convert: ModelConverter = convertModel,
): Promise<number> {
  const { config, logger } = await openCommandContext(io, args.settings);
  if (config.weights === "auto") {
    throw new HiggsError(
      "INVALID_INPUT",
      "convert the model",
      "the target type is missing; set --weights (allowed bf16, q8_0, q4_k)",
    );
  }
  const { isTerminal } = io.stderr;
  const converted = await convert(args.directory, {
    weights: config.weights,
    config,
    logger,
    signal: io.signal,
    onProgress: (share) => isTerminal && void io.stderr.write(`\r\u001B[2Kconverting ${Math.round(share * 100)} %`),
  });
  if (isTerminal) await io.stderr.write("\r\u001B[2K");
  if (args.isJson) await printJson(io, converted);
  else {
    const { path, sizeBytes, isNew } = converted;
    await io.stdout.write(`${path} (${formatBytes(sizeBytes)}${isNew ? "" : ", already there"})\n`);
  }
  return EXIT_OK;
}
