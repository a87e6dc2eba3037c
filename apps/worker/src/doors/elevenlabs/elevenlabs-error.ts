import type { DoorFailure } from "../door-failure.ts";

/** What ElevenLabs' clients read of an error. */
export interface ElevenLabsErrorBody {
  readonly detail: {
    /** ElevenLabs' word for it, where it has one. */
    readonly status: string;
    readonly message: string;
    /** A code of docs/ERRORS.md. */
    readonly code: string;
    readonly retryable: boolean;
    /** The field that is wrong. */
    readonly param: string | null;
  };
}

const STATUSES: Readonly<Record<string, string>> = {
  UNAUTHORIZED: "invalid_api_key",
  FORBIDDEN: "only_for_this_machine",
  VOICE_NOT_FOUND: "voice_not_found",
  INVALID_INPUT: "invalid_parameters",
  OVERLOADED: "system_busy",
};

export function elevenLabsErrorBody({ code, isRetryable, message, field }: DoorFailure): ElevenLabsErrorBody {
  const status = STATUSES[code] ?? code.toLowerCase();
  return { detail: { status, message, code, retryable: isRetryable, param: field } };
}

export function answerElevenLabsFailure(failure: DoorFailure): Response {
  return Response.json(elevenLabsErrorBody(failure), { status: failure.httpStatus, headers: failure.headers });
}
