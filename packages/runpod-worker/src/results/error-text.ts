import { escapeNonAscii } from "../logging/logger.ts";
import type { Redactor } from "../logging/redactor.ts";
import { REPORTED_VERSION } from "../version.ts";

/** Who reports an error; both are `unknown` if the environment does not say (spec platform §4.4). */
export interface ErrorOrigin {
  readonly hostname: string;
  readonly workerId: string;
  readonly redactor: Redactor;
}

/** Bytes of the whole error text; it is pure ASCII, so characters are bytes. */
const MAX_ERROR_TEXT_BYTES = 32 * 1024;
const MAX_MESSAGE_CHARACTERS = 4096;
/** Causes followed in a traceback; a longer chain is a cycle or useless. */
const MAX_CAUSES = 8;

/** Replaces what cannot be read from a hostile or half-built object. */
const UNREADABLE = "(cannot be read)";

/**
 * What `read` returns, or the fallback if it throws. Anything can be thrown: a proxy, an object without a prototype, an
 * error whose getters throw. Reporting it must never end the worker.
 */
export function readSafely<Value>(read: () => Value, fallback: Value): Value {
  try {
    return read();
  } catch {
    return fallback;
  }
}

/** `instanceof` for a thrown value; false if the check itself throws. */
export function isThrown<Thrown>(thrown: unknown, kind: abstract new (...args: never) => Thrown): thrown is Thrown {
  return readSafely(() => thrown instanceof kind, false);
}

/** Type of a thrown value: the error's own name, unless that is the bare `Error` of a subclass. Never throws. */
export function errorTypeOf(thrown: unknown): string {
  if (!isThrown(thrown, Error)) return thrown === null ? "null" : typeof thrown;
  return readSafely(() => textOf(thrown.name === "Error" ? thrown.constructor.name : thrown.name), "Error");
}

/** Message of a thrown error, or a thrown value that is not an Error as text. Never throws. */
export function errorMessageOf(thrown: unknown): string {
  return readSafely(() => textOf(isThrown(thrown, Error) ? thrown.message : thrown), UNREADABLE);
}

/** Any value as text: error classes may put anything in place of a message or a stack. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** Stack of a thrown error, followed by those of its causes. Never throws. */
export function tracebackOf(thrown: unknown): string {
  const parts: string[] = [];
  let current = thrown;
  for (let depth = 0; current !== undefined && depth <= MAX_CAUSES; depth += 1) {
    const text = stackOf(current);
    parts.push(depth === 0 ? text : `Caused by: ${text}`);
    current = causeOf(current);
  }
  return parts.join("\n");
}

function stackOf(thrown: unknown): string {
  if (!isThrown(thrown, Error)) return errorMessageOf(thrown);
  return readSafely(() => textOf(thrown.stack ?? thrown.message), errorMessageOf(thrown));
}

function causeOf(thrown: unknown): unknown {
  return isThrown(thrown, Error) ? readSafely<unknown>(() => thrown.cause, undefined) : undefined;
}

/**
 * The `error` string of a job whose handler threw: JSON text with six keys in the SDK's order, in ASCII, at most
 * 32 KiB, without known secrets. Source: spec platform §4.4 (W41).
 */
export function thrownErrorText(thrown: unknown, origin: ErrorOrigin): string {
  const { redactor } = origin;
  const message = cutMiddle(redactor.redact(errorMessageOf(thrown)), MAX_MESSAGE_CHARACTERS);
  let traceback = redactor.redact(tracebackOf(thrown));
  for (;;) {
    const text = escapeNonAscii(
      JSON.stringify({
        error_type: errorTypeOf(thrown),
        error_message: message,
        error_traceback: traceback,
        hostname: origin.hostname,
        worker_id: origin.workerId,
        runpod_version: REPORTED_VERSION,
      }),
    );
    if (text.length <= MAX_ERROR_TEXT_BYTES || traceback === "") return text;
    // Escapes make the text longer than its parts, so the cut is found by halving.
    traceback = traceback.length < 256 ? "" : cutMiddle(traceback, Math.floor(traceback.length / 2));
  }
}

/** The `error` string of a generator that threw: plain text, not JSON (spec platform §1.6.5). */
export function streamErrorText(thrown: unknown, origin: ErrorOrigin): string {
  const text = `handler: ${errorMessageOf(thrown)} \ntraceback: ${tracebackOf(thrown)}`;
  return cutMiddle(origin.redactor.redact(text), MAX_ERROR_TEXT_BYTES / 4);
}

/** The `error` string of a job whose handler says what its failure means: `code: message`. */
export function codedErrorText(code: string, thrown: unknown, origin: ErrorOrigin): string {
  return cutMiddle(origin.redactor.redact(`${code}: ${errorMessageOf(thrown)}`), MAX_ERROR_TEXT_BYTES / 4);
}

function cutMiddle(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const half = Math.floor(maxCharacters / 2);
  return `${text.slice(0, half)}\n...\n${text.slice(-half)}`;
}
