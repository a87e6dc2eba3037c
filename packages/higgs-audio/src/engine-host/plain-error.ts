import { type ErrorCode, HiggsError, toHiggsError } from "@higgs-worker/base";

/** An error as it crosses a process boundary: classes do not. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly subject: string;
  readonly reason: string;
  readonly problems: readonly string[];
  /** Where it was thrown, for logs. */
  readonly stack: string;
}

export function toPlainError(error: unknown): PlainError {
  const { code, subject, reason, problems, stack = "", cause } = toHiggsError(error);
  const causeStack = cause instanceof Error ? `\ncaused by ${cause.stack ?? cause.message}` : "";
  return { code, subject, reason, problems, stack: stack + causeStack };
}

/** The error again, with the stack of the process that threw it. */
export function fromPlainError({ code, subject, reason, problems, stack }: PlainError): HiggsError {
  const error = new HiggsError(code, subject, reason, { problems });
  error.stack = stack;
  return error;
}
