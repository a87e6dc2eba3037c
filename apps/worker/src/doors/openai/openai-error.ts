import type { DoorFailure } from "../door-failure.ts";

/** What OpenAI's clients read of an error; other shapes lose the message in some of them. */
export interface OpenAiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    /** The field that is wrong. */
    readonly param: string | null;
    /** A code of docs/ERRORS.md. */
    readonly code: string;
    readonly retryable: boolean;
  };
}

/** OpenAI's names for kinds of errors, by status. */
function typeOf(httpStatus: number): string {
  if (httpStatus === 401) return "authentication_error";
  if (httpStatus === 403) return "permission_error";
  if (httpStatus === 429) return "rate_limit_error";
  return httpStatus < 500 ? "invalid_request_error" : "server_error";
}

export function openAiErrorBody({ code, httpStatus, isRetryable, message, field }: DoorFailure): OpenAiErrorBody {
  return { error: { message, type: typeOf(httpStatus), param: field, code, retryable: isRetryable } };
}

export function answerOpenAiFailure(failure: DoorFailure): Response {
  return Response.json(openAiErrorBody(failure), { status: failure.httpStatus, headers: failure.headers });
}
