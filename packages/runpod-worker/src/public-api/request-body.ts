import { setImmediate as nextTurn } from "node:timers/promises";
import type { Context } from "hono";
import type { ByteBudget } from "../job-queue/byte-budget.ts";
import { BYTES_PER_VALUE, textSizeOf } from "../job-queue/memory-size.ts";
import { ByteGatherer } from "../network/byte-gatherer.ts";
import type { HttpEnvironment } from "./http-environment.ts";
import { DEFAULT_JSON_LIMITS, shapeOf } from "./json-shape.ts";
import { PublicApiError } from "./public-api-error.ts";
import { overloaded } from "./queue-room.ts";

export interface BodyRules {
  /** Bytes of the body. */
  readonly limitBytes: number;
  /** What all bodies being read, and all jobs made from them, may take together. */
  readonly budget: ByteBudget;
  /** True refuses a body not announced as JSON: a web page can send only those cross-origin without permission. */
  readonly requiresJsonType: boolean;
}

/** A parsed body, and approximately how many bytes of memory it takes. */
export interface JsonBody {
  readonly value: unknown;
  readonly sizeBytes: number;
}

/**
 * Reads a body as JSON in UTF-8, in bounded memory and time.
 *
 * @throws {PublicApiError} INVALID_INPUT when the body is not JSON in UTF-8, or has too many values
 * @throws {PublicApiError} TOO_LARGE when it has more bytes than the route allows
 * @throws {PublicApiError} UNSUPPORTED_MEDIA_TYPE when its type, charset or encoding is not accepted
 * @throws {PublicApiError} OVERLOADED when the budget is spent
 */
export function readJson(context: Context<HttpEnvironment>, rules: BodyRules): Promise<JsonBody> {
  return readBytes(context, rules, async (bytes) => {
    if (bytes.length > 0) checkType(context.req.raw.headers, rules);
    // Many large bodies that are ready at the same time must not all be parsed in one tick.
    if (bytes.length > LARGE_BODY_BYTES) await nextTurn();
    return parseJson(bytes);
  });
}

/**
 * Reads a body in bounded memory, which counts in the budget until `use` is done with it.
 *
 * @throws {PublicApiError} TOO_LARGE when it has more bytes than the route allows
 * @throws {PublicApiError} OVERLOADED when the budget is spent
 */
export async function readBytes<T>(
  context: Context<HttpEnvironment>,
  rules: Pick<BodyRules, "limitBytes" | "budget">,
  use: (bytes: Buffer<ArrayBuffer>) => Promise<T>,
): Promise<T> {
  const { raw } = context.req;
  if (Number(raw.headers.get("content-length") ?? 0) > rules.limitBytes) throw tooLarge(rules.limitBytes);
  const { budget } = rules;
  let reservedBytes = 0;
  try {
    const bytes = await readBody(raw, rules, (partBytes) => {
      if (!budget.hasRoomFor(partBytes))
        throw overloaded(`too much data is waiting (limit ${budget.limitBytes} bytes)`);
      budget.add(partBytes);
      reservedBytes += partBytes;
    });
    return await use(bytes);
  } finally {
    // A body that becomes a job is counted again, as a job, before anything else can run.
    budget.remove(reservedBytes);
  }
}

/** A body that takes noticeable time to parse. */
const LARGE_BODY_BYTES = 1024 * 1024;

/**
 * Parses a body.
 *
 * @throws {PublicApiError} INVALID_INPUT when the bytes are not JSON in UTF-8, or have too many values
 */
export function parseJson(bytes: Uint8Array): JsonBody {
  const { values, excess } = shapeOf(bytes, DEFAULT_JSON_LIMITS);
  if (excess !== undefined) throw new PublicApiError("INVALID_INPUT", `Cannot read the request: ${excess}`);
  let text: string;
  try {
    // A byte-order mark is removed. Anything else that is not UTF-8 would be replaced silently, and then spoken.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new PublicApiError("INVALID_INPUT", "Cannot read the request: the body is not valid UTF-8; send it as UTF-8");
  }
  try {
    return { value: JSON.parse(text), sizeBytes: parsedSizeOf(text, values) };
  } catch {
    throw new PublicApiError("INVALID_INPUT", "Cannot read the request: the body is not JSON");
  }
}

/** As `memorySizeOf`, without walking the values again. */
function parsedSizeOf(text: string, values: number): number {
  // An escape may stand for any character, and a non-Latin-1 one doubles the size of its string.
  const textBytes = text.includes(String.raw`\u`) ? 2 * text.length : textSizeOf(text);
  return textBytes + BYTES_PER_VALUE * values;
}

function checkType(headers: Headers, { requiresJsonType }: BodyRules): void {
  const type = headers.get("content-type");
  // Programs may omit the type. A browser that omits it, as for a Blob, at least sends the page's origin.
  const isOfProgram = type === null && !headers.has("origin");
  if (requiresJsonType && !isOfProgram && !isJsonType(type ?? "")) {
    const got = type === null ? "none" : type.slice(0, 80);
    throw unsupported(`it must be sent with the header Content-Type: application/json (got ${got})`);
  }
  const charset = charsetOf(type ?? "");
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw unsupported(`JSON is read as UTF-8 only (got charset ${charset.slice(0, 40)})`);
  }
  const encoding = headers.get("content-encoding") ?? "";
  if (!/^(?:identity)?$/i.test(encoding.trim())) {
    throw unsupported(`it must not be compressed (got Content-Encoding: ${encoding.slice(0, 40)})`);
  }
}

function isJsonType(type: string): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type.trim());
}

function charsetOf(type: string): string | undefined {
  return /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1];
}

async function readBody(
  { body }: Request,
  { limitBytes }: Pick<BodyRules, "limitBytes">,
  reserve: (partBytes: number) => void,
): Promise<Buffer<ArrayBuffer>> {
  const gathered = new ByteGatherer();
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    if (gathered.byteCount + part.length > limitBytes) throw tooLarge(limitBytes);
    reserve(part.length);
    gathered.add(part);
  }
  return gathered.concat();
}

function tooLarge(limitBytes: number): PublicApiError {
  return new PublicApiError("TOO_LARGE", `Cannot read the request: the body is too large (limit ${limitBytes} bytes)`);
}

function unsupported(why: string): PublicApiError {
  return new PublicApiError("UNSUPPORTED_MEDIA_TYPE", `Cannot read the request: ${why}`);
}
