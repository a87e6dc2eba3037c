import { isRecord } from "../protocol/is-record.ts";
import { encodeJson } from "./json-encoding.ts";
import { errorMessageOf } from "./error-text.ts";

/** Body of a job's final post (spec platform §4.2, §4.3). */
export interface ResultBody {
  readonly output?: unknown;
  readonly error?: string;
  readonly stopPod?: true;
}

/** A value that Python and users of the SDK treat as "no error": absent, empty, zero or false. */
function isFalsy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isRecord(value)) return !(value instanceof Error) && Object.keys(value).length === 0;
  return !value;
}

/** An `error` of any type as text: the platform treats anything but a string as success (W40). */
function errorString(error: unknown): string {
  if (typeof error === "string") return error;
  if (error instanceof Error) return errorMessageOf(error);
  try {
    return encodeJson(error);
  } catch {
    return errorMessageOf(error);
  }
}

/** The error of a returned or yielded object, as a string, or `undefined` when there is none. */
export function errorIn(value: unknown): string | undefined {
  if (!isOutputRecord(value)) return undefined;
  const { error } = value;
  return isFalsy(error) ? undefined : errorString(error);
}

/** An object whose `error` and `refresh_worker` keys have a meaning; a Date or a Map is just a value. */
function isOutputRecord(value: unknown): value is Readonly<Record<"error" | "refresh_worker", unknown>> {
  return isRecord(value) && typeof value["toJSON"] !== "function" && !(Symbol.iterator in value);
}

/** Body for what a handler returned. The returned object is not touched (W48). */
export function bodyOfReturned(returned: unknown): ResultBody {
  if (!isOutputRecord(returned)) return { output: returned ?? null };
  const { error: _error, refresh_worker: refresh, ...rest } = returned;
  const error = errorIn(returned);
  return {
    ...(Object.keys(rest).length > 0 && { output: rest }),
    ...(error !== undefined && { error }),
    ...(!isFalsy(refresh) && { stopPod: true as const }),
  };
}

/** Body for the end of a streamed job: all chunks with aggregation, else an empty list (W51). */
export function bodyOfStream(chunks: readonly unknown[]): ResultBody {
  return { output: chunks.map((chunk) => chunk ?? null) };
}

/** Body that fails the job with this text. */
export function bodyOfError(error: string): ResultBody {
  return { error };
}

/** The body with `stopPod`, which makes the platform replace the worker after this job. */
export function withStopPod(body: ResultBody): ResultBody {
  return { ...body, stopPod: true };
}
