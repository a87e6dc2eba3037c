import { ERRORS, type ErrorCode, type ErrorDefinition } from "./registry.ts";

const BRAND = Symbol.for("higgs-worker.error");

export interface HiggsErrorOptions {
  /** The error that led here; its message is for logs only. */
  readonly cause?: unknown;
  /** All problems found, when there are several (for example every wrong tensor of a checkpoint). */
  readonly problems?: readonly string[];
}

/**
 * An error with a code of the registry. The message has the form `Cannot <do>: <why> (got …, limit …)` and never holds
 * the user's text, keys or audio.
 */
export class HiggsError extends Error {
  override readonly name = "HiggsError";
  readonly code: ErrorCode;
  readonly problems: readonly string[];

  constructor(code: ErrorCode, message: string, options: HiggsErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
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
    return new HiggsError("CANCELLED", "Cannot finish: the request was cancelled", { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new HiggsError("INTERNAL", message, { cause: error });
}
