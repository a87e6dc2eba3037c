/** What must never stand in a log, wherever it comes from. */

/** Fields that hold the user's text, audio or keys. */
const SECRET_FIELDS: ReadonlySet<string> = new Set(
  [
    "accessId",
    "accessKeyId",
    "accessSecret",
    "apiKey",
    "audio",
    "audio_base64",
    "authorization",
    "cookie",
    "download_url",
    "input",
    "instructions",
    "password",
    "pcm",
    "put_url",
    "ref_audio",
    "s3Config",
    "scene_prompt",
    "secret",
    "secretAccessKey",
    "sessionToken",
    "text",
    "text_output",
    "token",
    "transcript",
  ].map(nameKey),
);

const REPLACEMENT = "[redacted]";
const MAX_DEPTH = 4;
const MAX_ITEMS = 100;
/** Shorter values may be part of ordinary words, and no real key is that short. */
const MIN_SECRET_CHARS = 6;

/** Makes texts and fields fit for a log. */
export interface LogCleaner {
  text(text: string): string;
  fields(fields: Readonly<Record<string, unknown>>): Record<string, unknown>;
}

/** @param secrets values that are replaced wherever they stand: keys, passwords */
export function createLogCleaner(secrets: readonly string[]): LogCleaner {
  const known = secrets
    .filter((secret) => secret.length >= MIN_SECRET_CHARS)
    .flatMap((secret) => [...new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])]);
  const text = (given: string): string => {
    let clean = given;
    for (const secret of known) clean = clean.replaceAll(secret, REPLACEMENT);
    return withoutPayload(clean);
  };
  const fields = (given: Readonly<Record<string, unknown>>) => cleanEntries(given, text, MAX_DEPTH);
  return { text, fields };
}

/** Queries and passwords of addresses (signatures stand there), data in addresses, and long runs of base64. */
function withoutPayload(text: string): string {
  return text
    .replaceAll(/\b(data:)[^\s,"']{0,200},[^\s"']*/gi, `$1${REPLACEMENT}`)
    .replaceAll(/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#"'@]+@/gi, `$1${REPLACEMENT}@`)
    .replaceAll(/\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s?#"']*)[?#][^\s"']*/gi, `$1?${REPLACEMENT}`)
    .replaceAll(/[A-Za-z0-9+/_-]{200,}={0,2}/g, (run) => `[${run.length} characters]`);
}

function cleanEntries(
  given: Readonly<Record<string, unknown>>,
  text: (given: string) => string,
  depth: number,
): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given).slice(0, MAX_ITEMS)) {
    if (value === undefined || typeof value === "function" || typeof value === "symbol") continue;
    clean[name] = SECRET_FIELDS.has(nameKey(name)) ? REPLACEMENT : cleanValue(value, text, depth - 1);
  }
  return clean;
}

function cleanValue(value: unknown, text: (given: string) => string, depth: number): unknown {
  if (typeof value === "string") return text(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return text(`${value.name}: ${value.message}`);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth <= 0) return "[…]";
  if (Array.isArray(value)) {
    return value.slice(0, MAX_ITEMS).map((item: unknown) => cleanValue(item, text, depth - 1));
  }
  return cleanEntries(value as Record<string, unknown>, text, depth);
}

/** `ref_audio`, `refAudio` and `REF-AUDIO` are the same name. */
function nameKey(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, "");
}
