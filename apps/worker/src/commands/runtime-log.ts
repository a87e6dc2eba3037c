import type { LogLevel as RuntimeLevel } from "runpod-worker";
import type { Log, LogLevel } from "../logging/logger.ts";
import type { RuntimeOptions } from "./worker-runtime.ts";

/** The runtime's levels in the app's words. */
const LEVELS = {
  NOTSET: "silent",
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warn",
  ERROR: "error",
} as const satisfies Readonly<Record<RuntimeLevel, LogLevel>>;

export function levelOf(level: RuntimeLevel): LogLevel {
  return LEVELS[level];
}

/** Has the runtime write its records into the process's log, in its form and at its level. */
export function writeInto(log: Log): Pick<RuntimeOptions, "logLevel" | "onLogRecord"> {
  return {
    logLevel: "TRACE",
    onLogRecord: ({ level, message, jobId, kind }) => {
      // Results, chunks and progress of a local run: the command prints the result itself.
      if (kind === "payload") return;
      log.write(isShown(kind, level, log) ? LEVELS[level] : "debug", message, { jobId });
    },
  };
}

/**
 * Each job has one line, which the job handler writes. People and tools look for `Started.` and `Finished.` on the platform
 * (spec platform §6), so they stay there.
 */
function isShown(kind: "event" | "routine", level: RuntimeLevel, log: Log): boolean {
  return kind === "event" || (log.form === "platform" && level === "INFO");
}
