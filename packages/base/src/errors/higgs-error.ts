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

/** Realm-safe check: true also for an error made by another copy of this package. */
export function isHiggsError(error: unknown): error is HiggsError {
  return typeof error === "object" && error !== null && BRAND in error;
}

/** Any thrown value as a HiggsError; unknown ones become INTERNAL and keep the original as cause. */
export function toHiggsError(error: unknown): HiggsError {
  if (isHiggsError(error)) return error;
  if (error instanceof Error && error.name === "AbortError") {
    return new HiggsError("CANCELLED", "finish", "the request was cancelled", { cause: error });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new HiggsError("INTERNAL", "finish", reason, { cause: error });
}
