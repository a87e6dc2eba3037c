import { errorOfResponse, HiggsApiError } from "./api-error.ts";

export interface HttpClientOptions {
  /** Without a slash at the end. */
  readonly baseUrl: string;
  /** Sent as `Authorization: Bearer …`; none when absent. */
  readonly apiKey?: string | undefined;
  /** Headers for every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Further tries after a failure that can pass; 2 unless given. */
  readonly maxRetries?: number | undefined;
  /** How long the server may take to begin its answer, in milliseconds; 600 000 unless given. */
  readonly timeoutMs?: number | undefined;
  /** Instead of the global one. */
  readonly fetch?: typeof fetch | undefined;
  /** Waits between tries; for tests. */
  readonly sleep?: ((delayMs: number, signal: AbortSignal | undefined) => Promise<void>) | undefined;
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
}

interface HttpRequest extends RequestOptions {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  /** Sent as JSON, but for a form. */
  readonly body?: object | FormData | undefined;
  readonly accept?: string | undefined;
  /** False for a request that must not be sent twice. Default true. */
  readonly canRepeat?: boolean;
}

const DEFAULT_MAX_RETRIES = 2;
const DEFAULT_TIMEOUT_MS = 600_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8_000;
/** A server that asks for a longer wait is not waited for: the caller decides. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/** Requests with a time limit and a few further tries, over nothing but `fetch`. */
export class HttpClient {
  readonly #options: HttpClientOptions;

  constructor(options: HttpClientOptions) {
    this.#options = { ...options, baseUrl: options.baseUrl.replace(/\/+$/, "") };
  }

  /** `path` below the base as a WebSocket address. */
  socketUrl(path: string): string {
    return `${this.#options.baseUrl.replace(/^http/, "ws")}${path}`;
  }

  /**
   * Sends a request; the answer's status is 2xx and its body has not been read.
   *
   * @throws {HiggsApiError} for any other status, and when no answer came
   * @throws the signal's reason when it aborts
   */
  async send(request: HttpRequest): Promise<Response> {
    const { maxRetries = DEFAULT_MAX_RETRIES, sleep = sleepFor } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      request.signal?.throwIfAborted();
      const outcome = await this.#try(request);
      if (!("failure" in outcome)) return outcome;
      const { failure, retryAfterMs } = outcome;
      const delayMs = retryAfterMs ?? Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
      const isLast = attempt >= maxRetries || request.canRepeat === false;
      if (isLast || !failure.isRetryable || delayMs > LONGEST_RETRY_AFTER_MS) throw failure;
      await sleep(delayMs, request.signal);
    }
  }

  /** The same, with the answer as JSON. */
  async json<T>(request: HttpRequest): Promise<T> {
    const response = await this.send({ accept: "application/json", ...request });
    return (await response.json()) as T;
  }

  async #try(request: HttpRequest): Promise<Response | FailedTry> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, fetch: send = fetch } = this.#options;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const signal = request.signal === undefined ? limit.signal : AbortSignal.any([request.signal, limit.signal]);
    try {
      const response = await send(`${this.#options.baseUrl}${request.path}`, { ...this.#init(request), signal });
      if (response.ok) return response;
      const failure = await errorOfResponse(response);
      return { failure, retryAfterMs: retryAfterOf(response) };
    } catch (error) {
      request.signal?.throwIfAborted();
      return { failure: noAnswer(error) };
    } finally {
      clearTimeout(timer);
    }
  }

  #init({ method, body, accept }: HttpRequest): RequestInit {
    const { apiKey, headers: given } = this.#options;
    const headers: Record<string, string> = { accept: accept ?? "*/*", ...given };
    if (apiKey !== undefined) headers["authorization"] = `Bearer ${apiKey}`;
    if (body === undefined) return { method, headers };
    // The boundary of a form belongs to its type, so `fetch` sets that one.
    if (body instanceof FormData) return { method, headers, body };
    headers["content-type"] = "application/json";
    return { method, headers, body: JSON.stringify(body) };
  }
}

interface FailedTry {
  readonly failure: HiggsApiError;
  /** The wait that the server asked for. */
  readonly retryAfterMs?: number | undefined;
}

function noAnswer(error: unknown): HiggsApiError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HiggsApiError(`no answer from the server: ${why}`, {
    code: null,
    status: null,
    isRetryable: true,
    cause: error,
  });
}

/** In milliseconds, from seconds or a date; undefined without the header. */
function retryAfterOf({ headers }: Response): number | undefined {
  const value = headers.get("retry-after");
  if (value === null || value === "") return undefined;
  const seconds = Number(value);
  const delayMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(delayMs) ? undefined : Math.max(0, delayMs);
}

function sleepFor(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, delayMs);
    signal?.addEventListener("abort", end, { once: true });
  });
}
