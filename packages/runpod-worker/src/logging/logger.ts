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

export interface PlatformLoggerOptions {
  readonly writeOut: (text: string) => void;
  readonly level: LogLevel;
  /** True = one JSON object a line, as RunPod's console wants it; false = text for people. */
  readonly isJson: boolean;
  readonly redactor: Redactor;
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

  #write(level: RecordLevel, message: string): void {
    const { isJson, redactor, writeOut } = this.#options;
    const threshold = this.#options.level;
    if (threshold === "NOTSET" || LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(threshold)) return;
    const batchId = this.#binding?.batchId;
    const prefixed = batchId === undefined ? message : `[batchId=${batchId}] ${message}`;
    const text = cutMiddle(redactor.redact(prefixed));
    const jobId = this.#binding?.jobId;
    writeOut(isJson ? jsonLine(level, jobId, text) : plainLine(level, jobId, text));
  }
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
