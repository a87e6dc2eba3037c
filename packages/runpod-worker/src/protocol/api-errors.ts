/** What an error of the HTTP API means to its client. */
export interface ApiErrorDefinition {
  readonly httpStatus: number;
  /** Whether the same request can succeed later without a change. */
  readonly isRetryable: boolean;
  /** Seconds after which a retry is worthwhile, as in `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/** The closed set of errors of the HTTP API itself; handlers have their own codes (`JobFailure`). */
export const API_ERRORS = {
  /** The request is wrong. */
  INVALID_INPUT: { httpStatus: 400, isRetryable: false },
  /** The key is missing or wrong. */
  UNAUTHORIZED: { httpStatus: 401, isRetryable: false },
  /** The request comes from a web page of another host. */
  FORBIDDEN: { httpStatus: 403, isRetryable: false },
  /** The route, endpoint or job does not exist. */
  NOT_FOUND: { httpStatus: 404, isRetryable: false },
  METHOD_NOT_ALLOWED: { httpStatus: 405, isRetryable: false },
  /** What the request asks for was dropped to bound the memory. */
  DROPPED: { httpStatus: 410, isRetryable: false },
  /** The body is larger than the route allows. */
  TOO_LARGE: { httpStatus: 413, isRetryable: false },
  /** The body is not announced as JSON in UTF-8. */
  UNSUPPORTED_MEDIA_TYPE: { httpStatus: 415, isRetryable: false },
  /** Too many jobs wait. */
  OVERLOADED: { httpStatus: 429, isRetryable: true, retryAfterSeconds: 1 },
  /** The job was cancelled. */
  CANCELLED: { httpStatus: 499, isRetryable: false },
  /** A defect of the server or its handler. */
  INTERNAL: { httpStatus: 500, isRetryable: true },
  /** The server is shutting down and takes no more jobs. */
  SHUTTING_DOWN: { httpStatus: 503, isRetryable: true, retryAfterSeconds: 5 },
  /** The job's time ran out. */
  DEADLINE_EXCEEDED: { httpStatus: 504, isRetryable: true },
} as const satisfies Record<string, ApiErrorDefinition>;

export type ApiErrorCode = keyof typeof API_ERRORS;

/** Why a job failed, in a form that its client can act on; the error text is for people. */
export interface JobFailure {
  readonly code: string;
  /** The status of routes that answer with the job's own outcome (`/openai/*`, `/realtime`); 400 to 599. */
  readonly httpStatus: number;
  /** Whether the same request can succeed later without a change. */
  readonly isRetryable: boolean;
}

/** A failure that originates in the API. */
export function apiFailure(code: ApiErrorCode): JobFailure {
  const { httpStatus, isRetryable } = API_ERRORS[code];
  return { code, httpStatus, isRetryable };
}
