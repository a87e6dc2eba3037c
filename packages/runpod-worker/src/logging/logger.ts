import { LOG_LEVELS, type LogLevel } from "./log-level.ts";
import type { Redactor } from "./redactor.ts";

/** Writes one record per call to standard output in the platform's format. */
export interface Logger {
  trace(message: string): void;
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Job to which the lines of a bound logger belong. */
export interface LogBinding {
  readonly jobId: string;
  readonly batchId?: string | undefined;
}

/** Characters of a message above which its middle is cut out (spec platform §6). */
const MAX_MESSAGE_LENGTH = 4096;

type RecordLevel = Exclude<LogLevel, "NOTSET">;

/** One record, for a host that writes it in its own form. Known secrets are already replaced. */
export interface LogRecord {
  readonly level: RecordLevel;
  readonly message: string;
  readonly jobId: string | undefined;
  readonly kind: LogKind;
}

/**
 * `routine`: what every job has (`Started.`, `Finished.`, the error that its handler threw), which a host that writes a line
 * of its own for each job can leave out. `payload`: a job's own data, shown by a local run only. `event`: all others.
 */
export type LogKind = "event" | "routine" | "payload";

export interface PlatformLoggerOptions {
  readonly writeOut: (text: string) => void;
  readonly level: LogLevel;
  /** True = one JSON object a line, as RunPod's console wants it; false = text for people. */
  readonly isJson: boolean;
  readonly redactor: Redactor;
  /** Gets every record that passes the level, in place of `writeOut`. */
  readonly onRecord?: ((record: LogRecord) => void) | undefined;
}

/** Logger of spec platform §6; `forJob` returns one whose lines carry a job's id. */
export class PlatformLogger implements Logger {
  readonly #options: PlatformLoggerOptions;
  readonly #binding: LogBinding | undefined;

  constructor(options: PlatformLoggerOptions, binding?: LogBinding) {
    this.#options = options;
    this.#binding = binding;
  }

  get redactor(): Redactor {
    return this.#options.redactor;
  }

  forJob(binding: LogBinding): PlatformLogger {
    return new PlatformLogger(this.#options, binding);
  }

  trace(message: string): void {
    this.#write("TRACE", message);
  }

  debug(message: string): void {
    this.#write("DEBUG", message);
  }

  info(message: string): void {
    this.#write("INFO", message);
  }

  warn(message: string): void {
    this.#write("WARN", message);
  }

  error(message: string): void {
    this.#write("ERROR", message);
  }

  /** Writes a line of another kind than `event`. */
  special(kind: Exclude<LogKind, "event">, level: "info" | "error", message: string): void {
    this.#write(level === "info" ? "INFO" : "ERROR", message, kind);
  }

  #write(level: RecordLevel, message: string, kind: LogKind = "event"): void {
    const { isJson, redactor, writeOut, onRecord } = this.#options;
    const threshold = this.#options.level;
    if (threshold === "NOTSET" || LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(threshold)) return;
    const batchId = this.#binding?.batchId;
    const prefixed = batchId === undefined ? message : `[batchId=${batchId}] ${message}`;
    const text = cutMiddle(redactor.redact(prefixed));
    const jobId = this.#binding?.jobId;
    if (onRecord !== undefined) onRecord({ level, message: text, jobId, kind });
    else writeOut(isJson ? jsonLine(level, jobId, text) : plainLine(level, jobId, text));
  }
}

/** Writes a line that every job has; to a handler's own logger it is a line like others. */
export function logRoutine(log: Logger, level: "info" | "error", message: string): void {
  if (log instanceof PlatformLogger) log.special("routine", level, message);
  else log[level](message);
}

/** Removes the middle of a long message and says how much was removed (W77). */
function cutMiddle(message: string): string {
  if (message.length <= MAX_MESSAGE_LENGTH) return message;
  const half = MAX_MESSAGE_LENGTH / 2;
  const note = `\n...TRUNCATED ${message.length - MAX_MESSAGE_LENGTH} CHARACTERS...\n`;
  return message.slice(0, half) + note + message.slice(-half);
}

/** Writes every character above ASCII as `\uXXXX`; the text must be JSON already. */
export function escapeNonAscii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function jsonLine(level: RecordLevel, jobId: string | undefined, message: string): string {
  const requestId = JSON.stringify(jobId ?? null);
  const record = `{"requestId": ${requestId}, "message": ${JSON.stringify(message)}, "level": "${level}"}`;
  return `${escapeNonAscii(record)}\n`;
}

function plainLine(level: RecordLevel, jobId: string | undefined, message: string): string {
  const text = jobId === undefined ? message : `${jobId} | ${message}`;
  return `${level.padEnd(7)}| ${text}\n`;
}
