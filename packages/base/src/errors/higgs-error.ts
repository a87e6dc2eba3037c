import { ERRORS, type ErrorCode, type ErrorDefinition } from "./registry.ts";

const BRAND = Symbol.for("higgs-worker.error");

export interface HiggsErrorOptions {
  /** The error that led here; its message is for logs only. */
  readonly cause?: unknown;
  /** All problems found, when there are several (for example every wrong tensor of a checkpoint). */
  readonly problems?: readonly string[];
}

/**
 * An error with a code of the registry. Its message is `Cannot <subject>: <reason>`; code that needs the
 * parts reads those instead of the message. Neither ever holds the user's text, keys or audio.
 */
export class HiggsError extends Error {
  override readonly name = "HiggsError";
  readonly code: ErrorCode;
  /** What could not be done, such as `read the voice`. */
  readonly subject: string;
  /** Why, with what was got and the limit, such as `the file is too large (got 9 bytes, limit 4)`. */
  readonly reason: string;
  readonly problems: readonly string[];

  constructor(code: ErrorCode, subject: string, reason: string, options: HiggsErrorOptions = {}) {
    super(`Cannot ${subject}: ${reason}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.subject = subject;
    this.reason = reason;
    this.problems = options.problems ?? [];
    Object.defineProperty(this, BRAND, { value: true });
  }

  get definition(): ErrorDefinition {
    return ERRORS[this.code];
  }

  /** The form that clients see: `CODE: message`. */
  override toString(): string {
    return `${this.code}: ${this.message}`;
  }
}

/** Realm-safe check: true also for an error made by another copy of this package. Never throws, whatever it gets. */
export function isHiggsError(error: unknown): error is HiggsError {
  try {
    return error !== null && typeof error === "object" && isBranded(error) && typeof error.code === "string";
  } catch {
    return false;
  }
}

/**
 * Any thrown value as a HiggsError; unknown ones become INTERNAL and keep the original as cause. Never throws, whatever
 * it gets: not on a getter that throws, a revoked proxy or an object that has no text.
 */
export function toHiggsError(error: unknown): HiggsError {
  if (isHiggsError(error)) return error;
  if (isAbort(error)) return new HiggsError("CANCELLED", "finish", "the request was cancelled", { cause: error });
  return new HiggsError("INTERNAL", "finish", textOf(error), { cause: error });
}

function isBranded(error: object): error is Partial<HiggsError> {
  return Reflect.get(error, BRAND) === true;
}

function isAbort(error: unknown): boolean {
  try {
    return error instanceof Error && error.name === "AbortError";
  } catch {
    return false;
  }
}

function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "what was thrown cannot be read";
  }
}
