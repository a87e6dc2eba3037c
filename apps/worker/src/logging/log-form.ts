import type { LogRecord } from "./log-record.ts";

/**
 * `text`: for people at a terminal. `json`: one object a line. `platform`: one object a line with exactly the three keys
 * that RunPod's console reads (spec platform §6); fields stand as JSON at the end of the message.
 */
export type LogForm = "text" | "json" | "platform";

/** Longest message in the platform's form; it throttles workers that write much. */
const MAX_PLATFORM_CHARS = 4096;

/** One line with its line break. Fields must be plain data already. */
export function formatRecord(record: LogRecord, form: LogForm): string {
  return FORMS[form](record);
}

function textLine({ time, level, message, jobId, fields }: LogRecord): string {
  const words = Object.entries({ ...(jobId !== null && { job: jobId }), ...fields })
    .map(([name, value]) => ` ${name}=${textOf(value)}`)
    .join("");
  return `${time.toISOString().slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${oneLine(message)}${words && ` |${words}`}\n`;
}

function textOf(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return typeof value === "string" && !/^[\w.:/@%+-]+$/.test(text) ? JSON.stringify(text) : text;
}

/** Line breaks and control characters must not make a terminal show what looks like another line. */
function oneLine(message: string): string {
  return message.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
}

function jsonLine({ time, level, message, jobId, fields }: LogRecord): string {
  const head = { time: time.toISOString(), level: level.toUpperCase(), requestId: jobId, message };
  // Spread twice: the form's keys come first, and no field can take their place.
  return `${JSON.stringify({ ...head, ...fields, ...head })}\n`;
}

function platformLine({ level, message, jobId, fields }: LogRecord): string {
  const details = Object.keys(fields).length === 0 ? "" : ` ${JSON.stringify(fields)}`;
  const whole = message + details;
  const half = MAX_PLATFORM_CHARS / 2;
  const text =
    whole.length <= MAX_PLATFORM_CHARS
      ? whole
      : `${whole.slice(0, half)}\n...TRUNCATED ${whole.length - MAX_PLATFORM_CHARS} CHARACTERS...\n${whole.slice(-half)}`;
  const record = { requestId: jobId, message: text, level: level.toUpperCase() };
  return `${escapeNonAscii(JSON.stringify(record))}\n`;
}

function escapeNonAscii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const FORMS: Readonly<Record<LogForm, (record: LogRecord) => string>> = {
  text: textLine,
  json: jsonLine,
  platform: platformLine,
};
