import { createLogCleaner } from "./clean.ts";
import { formatRecord, type LogForm } from "./log-form.ts";
import { LOG_LEVELS, type LogFields, type LogLevel, type LogRecord } from "./log-record.ts";

export type { LogFields, LogLevel } from "./log-record.ts";

/** What the app needs from a logger. A field `jobId` becomes the line's `requestId`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines all carry `fields`. */
  child(fields: LogFields): Logger;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly form: LogForm;
  /** Takes whole lines. */
  readonly write: (line: string) => void;
  /** Keys and passwords that are struck out wherever they stand. */
  readonly secrets?: readonly string[] | undefined;
  /** Default: the clock. */
  readonly now?: (() => Date) | undefined;
}

/** The log of a process: every line, of whichever part, goes through one of these. */
export class Log implements Logger {
  readonly form: LogForm;
  readonly #options: LogOptions;
  readonly #cleaner: ReturnType<typeof createLogCleaner>;
  readonly #bound: LogFields;

  constructor(options: LogOptions, bound: LogFields = {}, cleaner = createLogCleaner(options.secrets ?? [])) {
    this.form = options.form;
    this.#options = options;
    this.#bound = bound;
    this.#cleaner = cleaner;
  }

  debug(message: string, fields?: LogFields): void {
    this.write("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.write("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.write("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.write("error", message, fields);
  }

  child(fields: LogFields): Log {
    return new Log(this.#options, { ...this.#bound, ...fields }, this.#cleaner);
  }

  write(level: LogRecord["level"], message: string, fields: LogFields = {}): void {
    const { level: threshold, form, write, now } = this.#options;
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(threshold)) return;
    const { jobId, ...rest } = { ...this.#bound, ...fields };
    const record: LogRecord = {
      time: now?.() ?? new Date(),
      level,
      message: this.#cleaner.text(message),
      jobId: typeof jobId === "string" ? this.#cleaner.text(jobId) : null,
      fields: this.#cleaner.fields(rest),
    };
    write(formatRecord(record, form));
  }
}

/** Logs nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
