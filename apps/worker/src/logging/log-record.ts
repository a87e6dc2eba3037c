/** Fields of a log line. Never the user's text, keys or audio; what looks like them is redacted anyway. */
export type LogFields = Readonly<Record<string, unknown>>;

/** From low to high; `silent` writes nothing. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** One record, ready to be written. */
export interface LogRecord {
  readonly time: Date;
  readonly level: Exclude<LogLevel, "silent">;
  readonly message: string;
  readonly jobId: string | null;
  readonly fields: LogFields;
}
