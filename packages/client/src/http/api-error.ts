/** What a server, an endpoint or a job answered instead of audio. */
export class HiggsApiError extends Error {
  override readonly name = "HiggsApiError";
  /** The code of docs/ERRORS.md, such as `INVALID_INPUT`; null when the answer came from something in between. */
  readonly code: string | null;
  /** The HTTP status; null when a job failed, since its status was fetched with success. */
  readonly status: number | null;
  /** True if the same request can succeed later without a change. */
  readonly isRetryable: boolean;
  /** The job that failed; null outside a queue. */
  readonly jobId: string | null;

  constructor(message: string, facts: ErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = facts.code;
    this.status = facts.status;
    this.isRetryable = facts.isRetryable;
    this.jobId = facts.jobId ?? null;
  }
}

interface ErrorFacts {
  readonly code: string | null;
  readonly status: number | null;
  readonly isRetryable: boolean;
  readonly jobId?: string;
  readonly cause?: unknown;
}

/** The longest part of an answer that is not JSON which a message repeats. */
const MAX_TEXT_CHARS = 300;

/** The error of an answer whose status is not 2xx, in any of the shapes that servers and what stands before them use. */
export async function errorOfResponse(response: Response): Promise<HiggsApiError> {
  const text = await response.text().catch(() => "");
  const { message, code, isRetryable } = readErrorBody(text);
  return new HiggsApiError(message ?? `the server answered ${response.status} ${response.statusText}`.trim(), {
    code,
    status: response.status,
    isRetryable: isRetryable ?? RETRYABLE_STATUSES.has(response.status),
  });
}

/** Statuses after which the same request is worth another try. */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** The error of a job that ended otherwise than as COMPLETED; its text begins with the code. */
export function errorOfJob(jobId: string, status: string, text: string | null): HiggsApiError {
  const code = /^([A-Z][A-Z0-9_]+): /.exec(text ?? "")?.[1] ?? null;
  const message = text ?? `the job ended as ${status}`;
  return new HiggsApiError(message, { code, status: null, isRetryable: status === "TIMED_OUT", jobId });
}

interface ErrorBody {
  readonly message: string | null;
  readonly code: string | null;
  readonly isRetryable: boolean | null;
}

/** Reads `{ error: { message, code } }`, `{ error, code, retryable }`, `{ detail: { message } }`, `{ detail }` and plain text. */
function readErrorBody(text: string): ErrorBody {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    const plain = text.trim();
    return {
      message: plain === "" || plain.startsWith("<") ? null : plain.slice(0, MAX_TEXT_CHARS),
      code: null,
      isRetryable: null,
    };
  }
  const outer = asRecord(body);
  const inner = asRecord(outer["error"] ?? outer["detail"]);
  const message = [inner["message"], outer["message"], outer["error"], outer["detail"]].find(
    (value) => typeof value === "string",
  );
  const code = [inner["code"], outer["code"]].find((value) => typeof value === "string");
  const retryable = [inner["retryable"], outer["retryable"]].find((value) => typeof value === "boolean");
  return {
    message: typeof message === "string" ? message : null,
    code: typeof code === "string" ? code : null,
    isRetryable: typeof retryable === "boolean" ? retryable : null,
  };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
