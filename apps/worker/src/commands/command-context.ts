import { loadConfig, readSetting, type SettingFlags } from "../config/load.ts";
import type { Config } from "../config/settings.ts";
import { secretsOf } from "../config/secrets.ts";
import type { LogForm } from "../logging/log-form.ts";
import { Log, type LogLevel } from "../logging/logger.ts";
import type { CommandIo, Sink } from "../terminal/command-io.ts";

/** What every command needs first. */
export interface CommandContext {
  readonly config: Config;
  readonly logger: Log;
}

/**
 * Reads the settings and opens the log of an interactive command: on stderr, and only warnings unless another level was
 * requested.
 *
 * @throws {HiggsError} INVALID_INPUT for invalid settings
 */
export async function openCommandContext(io: CommandIo, flags: SettingFlags): Promise<CommandContext> {
  return open(io, flags, io.stderr, hasLogLevel(io, flags) ? undefined : "warn");
}

/**
 * The same for a process that works on jobs. All its lines are in one form and, unless stdout is for results, there, where
 * the platform's own logger writes (spec platform §6).
 *
 * @param level unless HIGGS_LOG_LEVEL or --log-level says otherwise
 * @throws {HiggsError} INVALID_INPUT for invalid settings
 */
export async function openServingContext(
  io: CommandIo,
  flags: SettingFlags,
  level: LogLevel,
  sink: Sink = io.stdout,
): Promise<CommandContext> {
  return open(io, flags, sink, hasLogLevel(io, flags) ? undefined : level);
}

/** The log of a serving process whose settings cannot be read. */
export function openServingLog(io: CommandIo, flags: SettingFlags, level: LogLevel): Log {
  const form = readSetting("logFormat", io.env, flags);
  const chosen = hasLogLevel(io, flags) ? readSetting("logLevel", io.env, flags) : level;
  return new Log({ level: chosen, form: formOf(form, io, io.stdout), write: (line) => void io.stdout.write(line) });
}

async function open(
  io: CommandIo,
  flags: SettingFlags,
  sink: Sink,
  level: LogLevel | undefined,
): Promise<CommandContext> {
  const { config, warnings } = loadConfig(io.env, flags);
  const logger = new Log({
    level: level ?? config.logLevel,
    form: formOf(config.logFormat, io, sink),
    write: (line) => void sink.write(line),
    secrets: secretsOf(config),
  });
  for (const warning of warnings) logger.warn(warning);
  return { config, logger };
}

function hasLogLevel(io: CommandIo, flags: SettingFlags): boolean {
  return flags.logLevel !== undefined || (io.env["HIGGS_LOG_LEVEL"] ?? "") !== "";
}

function formOf(format: Config["logFormat"], { env, stdout }: CommandIo, sink: Sink): LogForm {
  if (format !== "auto") return format;
  if ((env["RUNPOD_ENDPOINT_ID"] ?? "") !== "" && sink === stdout) return "platform";
  return sink.isTerminal ? "text" : "json";
}
