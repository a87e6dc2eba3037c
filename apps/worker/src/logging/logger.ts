/** Fields of a log line. Never the user's text, keys or audio; what looks like them is redacted anyway. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What the app needs from a logger. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines all carry `fields`. */
  child(fields: LogFields): Logger;
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";

/** Fields to redact, at the top and one level below. */
const REDACTED_FIELDS = [
  "accessId",
  "accessKeyId",
  "accessSecret",
  "apiKey",
  "audio",
  "audio_base64",
  "authorization",
  "ref_audio",
  "s3Config",
  "scene_prompt",
  "secretAccessKey",
  "sessionToken",
  "text",
  "text_output",
  "transcript",
];

/** A logger that writes one line of JSON per record. The library is loaded here because it takes about 20 ms. */
export async function createLogger(level: LogLevel, write: (line: string) => void): Promise<Logger> {
  const { pino } = await import("pino");
  const root = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: REDACTED_FIELDS.flatMap((name) => [name, `*.${name}`]),
    },
    { write },
  );
  return wrap(root);
}

/** Logs nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

interface LogLibrary {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: Record<string, unknown>): LogLibrary;
}

function wrap(library: LogLibrary): Logger {
  return {
    debug: (message, fields = {}) => library.debug(fields, message),
    info: (message, fields = {}) => library.info(fields, message),
    warn: (message, fields = {}) => library.warn(fields, message),
    error: (message, fields = {}) => library.error(fields, message),
    child: (fields) => wrap(library.child({ ...fields })),
  };
}
