/** Levels from low to high; `NOTSET` writes nothing at all (spec platform §6). */
export const LOG_LEVELS = ["NOTSET", "TRACE", "DEBUG", "INFO", "WARN", "ERROR"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** The level and, if the given text could not be used as it was, a warning for the operator. */
export interface LogLevelChoice {
  readonly level: LogLevel;
  readonly warning: string | undefined;
}

const OTHER_NAMES: Readonly<Record<string, LogLevel>> = { WARNING: "WARN", FATAL: "ERROR", CRITICAL: "ERROR" };

/** Digits mean either a position in LOG_LEVELS or a level of Python's logging module. */
const PYTHON_NUMBERS: Readonly<Record<string, LogLevel>> = {
  "10": "DEBUG",
  "20": "INFO",
  "30": "WARN",
  "40": "ERROR",
  "50": "ERROR",
};

function levelNamed(text: string): LogLevel | undefined {
  const name = text.trim().toUpperCase();
  return (
    LOG_LEVELS.find((level) => level === name) ??
    OTHER_NAMES[name] ??
    PYTHON_NUMBERS[name] ??
    (/^\d$/.test(name) ? LOG_LEVELS[Number(name)] : undefined)
  );
}

/** Chooses the level: flag, then `RUNPOD_LOG_LEVEL`, then `RUNPOD_DEBUG_LEVEL`, then INFO. Never throws (W12, W79). */
export function chooseLogLevel(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): LogLevelChoice {
  const sources: readonly (readonly [name: string, text: string | undefined])[] = [
    ["--rp_log_level", flag],
    ["RUNPOD_LOG_LEVEL", env["RUNPOD_LOG_LEVEL"]],
    ["RUNPOD_DEBUG_LEVEL", env["RUNPOD_DEBUG_LEVEL"]],
  ];
  const given = sources.find(([, text]) => text !== undefined && text !== "");
  if (given?.[1] === undefined) return { level: "INFO", warning: undefined };
  const level = levelNamed(given[1]);
  if (level !== undefined) return { level, warning: undefined };
  return { level: "INFO", warning: `${given[0]} is not a log level, using INFO (known: ${LOG_LEVELS.join(", ")})` };
}
