import { API_ERRORS, type ApiErrorCode, type ApiErrorDefinition, type JobFailure } from "../protocol/api-errors.ts";

/** A request that the public API refuses; its message goes to the client in `refusalBody`. */
export class PublicApiError extends Error {
  override readonly name = "PublicApiError";
  readonly code: ApiErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ApiErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

/** The answer to a request that failed: `{ error, code, retryable }`; defects do not show their message. */
export function answerOfError(error: unknown): Response {
  const isRefusal = error instanceof PublicApiError;
  const code = isRefusal ? error.code : "INTERNAL";
  const { httpStatus, isRetryable, retryAfterSeconds }: ApiErrorDefinition = API_ERRORS[code];
  const body = { error: isRefusal ? error.message : "internal error", code, retryable: isRetryable };
  const headers = {
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    ...(isRefusal ? error.headers : {}),
  };
  return Response.json(body, { status: httpStatus, headers });
}

/** Headers of an answer with a failed job: when to retry, if that can help. */
export function headersOfFailure({ httpStatus, isRetryable }: JobFailure): Record<string, string> {
  const isBusy = httpStatus === API_ERRORS.OVERLOADED.httpStatus || httpStatus === 503;
  return isBusy && isRetryable ? { "retry-after": String(API_ERRORS.OVERLOADED.retryAfterSeconds) } : {};
}
