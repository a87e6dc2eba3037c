import { isHiggsError, toHiggsError } from "@higgs-worker/base";
import { API_ERRORS, type ApiErrorDefinition, JobError } from "runpod-worker";
import { PublicApiError } from "runpod-worker/http";

/** Why a door refuses or fails a request, in a form that each door puts into its own words. */
export interface DoorFailure {
  /** A code of docs/ERRORS.md. */
  readonly code: string;
  readonly httpStatus: number;
  readonly isRetryable: boolean;
  /** `CODE: Cannot <do>: <why>`. */
  readonly message: string;
  /** The request's field that is wrong, if it is one. */
  readonly field: string | null;
  /** What the answer's headers must say besides. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Clients take `Retry-After` for 1 to 60 seconds; one of them ignores longer ones and another waits for two minutes. */
const MAX_RETRY_SECONDS = 60;
const BUSY_STATUSES: ReadonlySet<number> = new Set([429, 503]);

/**
 * What an error means to the client of a door. Defects show nothing of themselves.
 *
 * Every 429 and 503 says when to try again, and what cannot help to repeat says so to clients that would (`x-should-retry`).
 */
export function failureOf(error: unknown): DoorFailure {
  const { headers, ...facts } = factsOf(error);
  const { httpStatus, isRetryable } = facts;
  const wait = BUSY_STATUSES.has(httpStatus) ? { "retry-after": String(isRetryable ? 1 : MAX_RETRY_SECONDS) } : {};
  const repeat = isRetryable || httpStatus < 500 ? {} : { "x-should-retry": "false" };
  return { ...facts, headers: { ...wait, ...repeat, ...headers } };
}

function factsOf(error: unknown): DoorFailure {
  if (error instanceof JobError && error.failure !== undefined) {
    const { code, httpStatus, isRetryable } = error.failure;
    const headers = error.cause instanceof PublicApiError ? error.cause.headers : {};
    return { code, httpStatus, isRetryable, message: error.message, field: null, headers };
  }
  if (error instanceof PublicApiError) {
    const { httpStatus, isRetryable, retryAfterSeconds }: ApiErrorDefinition = API_ERRORS[error.code];
    const wait = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
    const headers = { ...wait, ...error.headers };
    return {
      code: error.code,
      httpStatus,
      isRetryable,
      message: `${error.code}: ${error.message}`,
      field: null,
      headers,
    };
  }
  const { code, message, definition, problems } = toHiggsError(error);
  const { httpStatus, isRetryable } = definition;
  const text = isHiggsError(error) || code === "CANCELLED" ? message : "Cannot answer: a defect in this software";
  return { code, httpStatus, isRetryable, message: `${code}: ${text}`, field: fieldOf(problems), headers: {} };
}

/** Problems of an input begin with the field's name. */
function fieldOf([first]: readonly string[]): string | null {
  const name = /^(?:unknown field )?([a-z_]+)/.exec(first ?? "")?.[1];
  return name === undefined ? null : name;
}
