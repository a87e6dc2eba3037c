import { corrupt, quote } from "./checkpoint-error.ts";
import { MAX_JSON_DEPTH } from "./limits.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Parses the bytes of a JSON file whose top is an object. Bytes that are not UTF-8, not JSON, nested too deeply, or that
 * name a key twice in one object throw MODEL_CORRUPT: JSON.parse would keep the last of two, other readers the first.
 */
export function parseJsonObject(bytes: Uint8Array, fileName: string): JsonObject {
  const text = decodeUtf8(bytes, fileName);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw corrupt(fileName, "it is not JSON", error);
  }
  if (!isJsonObject(value)) throw corrupt(fileName, "its JSON is not an object");
  checkKeys(text, fileName);
  return value;
}

function decodeUtf8(bytes: Uint8Array, fileName: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw corrupt(fileName, "its JSON is not UTF-8", error);
  }
}

/** One open `{` (with the keys seen in it) or `[` (null). */
type OpenBracket = Set<string> | null;

/** Walks over text that JSON.parse has accepted, so only strings and brackets matter. */
function checkKeys(text: string, fileName: string): void {
  const open: OpenBracket[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const symbol = text[at];
    if (symbol === "{" || symbol === "[") {
      open.push(symbol === "{" ? new Set() : null);
      if (open.length > MAX_JSON_DEPTH)
        throw corrupt(fileName, `its JSON is nested too deeply (limit ${MAX_JSON_DEPTH})`);
    } else if (symbol === "}" || symbol === "]") {
      open.pop();
    } else if (symbol === '"') {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys instanceof Set && isFollowedByColon(text, end)) addKey(keys, text.slice(at, end), fileName);
      at = end - 1;
    }
  }
}

function addKey(keys: Set<string>, literal: string, fileName: string): void {
  const key = String(JSON.parse(literal));
  if (keys.has(key)) throw corrupt(fileName, `its JSON names ${quote(key)} twice`);
  keys.add(key);
}

/** Position after the closing quote of the string that starts at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function isFollowedByColon(text: string, position: number): boolean {
  let at = position;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at += 1;
  return text[at] === ":";
}
