import { loadConfig, type SettingFlags } from "../config/load.ts";
import type { Config } from "../config/settings.ts";
import { createLogger, type Logger } from "../logging/logger.ts";
import type { CommandIo } from "../terminal/command-io.ts";

/** What every command needs first. */
export interface CommandContext {
  readonly config: Config;
  readonly logger: Logger;
}

/**
 * Reads the settings and opens the log. Interactive commands only log warnings, unless another level was requested.
 *
 * @throws {HiggsError} INVALID_INPUT for invalid settings
 */
export async function openCommandContext(
  io: CommandIo,
  flags: SettingFlags,
  options: { readonly isQuiet: boolean } = { isQuiet: true },
): Promise<CommandContext> {
  const { config, warnings } = loadConfig(io.env, flags);
  const isDefault = flags.logLevel === undefined && (io.env["HIGGS_LOG_LEVEL"] ?? "") === "";
  const level = options.isQuiet && isDefault ? "warn" : config.logLevel;
  const logger = await createLogger(level, (line) => void io.stderr.write(line));
  for (const warning of warnings) {
    if (options.isQuiet) await io.stderr.write(`warning: ${warning}\n`);
    else logger.warn(warning);
  }
  return { config, logger };
}
