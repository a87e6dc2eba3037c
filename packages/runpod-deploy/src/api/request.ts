import { setTimeout as delay } from "node:timers/promises";
import { RunpodApiError, type RunpodFailure } from "../errors.ts";
import { fetchTransport, readText, type HttpCall, type HttpReply, type Transport } from "./transport.ts";

export interface RequestOptions {
  /** Where REST v2 is, without `/v2`. Default `https://api.runpod.io`. */
  readonly baseUrl?: string;
  readonly apiKey: string;
  readonly transport?: Transport;
  /** Waits between tries, in milliseconds; tests give one that does not wait. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Time limit of one try in milliseconds. Default 30 000. */
  readonly tryTimeoutMs?: number;
  /** Longest total wait of one request for a rate limit, in milliseconds. Default 120 000. */
  readonly rateLimitWaitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ApiRequest {
  readonly method: HttpCall["method"];
  /** Begins with `/v2/`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** For messages, such as `create the endpoint`. */
  readonly action: string;
  readonly accept?: string;
  /** More headers, such as `Last-Event-ID`. */
  readonly headers?: Readonly<Record<string, string>>;
}

export const DEFAULT_BASE_URL = "https://api.runpod.io";
const TRY_TIMEOUT_MS = 30_000;
const RATE_LIMIT_WAIT_MS = 120_000;
/** Waits after tries that failed on RunPod's side. */
const BACKOFF_MS = [1000, 2000, 4000, 8000];
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_DETAIL_CHARS = 500;
const MAX_PROBLEMS = 10;

/** Sends requests to REST v2, with the rules of retrying. */
export class ApiRequests {
  readonly #options: RequestOptions;
  readonly #transport: Transport;
  readonly #sleep: (ms: number, signal?: AbortSignal) => Promise<void>;

  constructor(options: RequestOptions) {
    this.#options = options;
    this.#transport = options.transport ?? fetchTransport;
    this.#sleep = options.sleep ?? ((ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }));
  }

  /** @throws {Error} an AbortError when the signal aborts */
  async sleep(ms: number): Promise<void> {
    await this.#sleep(ms, this.#options.signal);
  }

  /**
   * The JSON of a good answer; null for one without a body. A rate limit is waited for as RunPod says. Failures on RunPod's
   * side and broken connections are tried again, except for POST, which might be carried out twice.
   *
   * @throws {RunpodApiError} for every other answer, and when trying again did not help
   */
  async json(request: ApiRequest): Promise<unknown> {
    const reply = await this.#send(request, TRY_TIMEOUT_MS);
    const text = await this.#read(reply, request.action);
    if (text === "") return null;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw unreadable(request.action, "not JSON", cause);
    }
  }

  /**
   * An answer that goes on, such as a stream of events; it has no time limit.
   *
   * @throws {RunpodApiError} as `json` does
   */
  async stream(request: ApiRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const reply = await this.#send(request, null, signal);
    return reply.body ?? emptyBody();
  }

  async #read(reply: HttpReply, action: string): Promise<string> {
    try {
      return await readText(reply, MAX_ANSWER_BYTES);
    } catch (cause) {
      this.#options.signal?.throwIfAborted();
      throw unreadable(action, cause instanceof Error ? cause.message : "", cause);
    }
  }

  async #send(request: ApiRequest, limitMs: number | null, signal?: AbortSignal): Promise<HttpReply> {
    let waitedMs = 0;
    let failures = 0;
    for (;;) {
      const reply = await this.#try(request, limitMs, signal).catch((error: unknown) => error as RunpodApiError);
      if (!(reply instanceof Error)) {
        if (reply.status >= 200 && reply.status < 300) return reply;
        const retryAfterMs = reply.status === 429 ? retryAfterOf(reply) : null;
        const error = await this.#errorOf(request.action, reply);
        if (retryAfterMs !== null) {
          waitedMs += retryAfterMs;
          if (waitedMs > (this.#options.rateLimitWaitMs ?? RATE_LIMIT_WAIT_MS)) throw error;
          await this.sleep(retryAfterMs);
          continue;
        }
        if (reply.status < 500) throw error;
        await this.#pauseOrThrow(request, error, failures++);
        continue;
      }
      if (!(reply instanceof RunpodApiError)) throw reply;
      await this.#pauseOrThrow(request, reply, failures++);
    }
  }

  async #pauseOrThrow(request: ApiRequest, error: RunpodApiError, failures: number): Promise<void> {
    const pauseMs = BACKOFF_MS[failures];
    if (request.method === "POST" || pauseMs === undefined) throw error;
    await this.sleep(pauseMs);
  }

  async #try(request: ApiRequest, limitMs: number | null, signal?: AbortSignal): Promise<HttpReply> {
    const { baseUrl = DEFAULT_BASE_URL, apiKey, tryTimeoutMs } = this.#options;
    const url = new URL(`${baseUrl.replace(/\/+$/, "")}${request.path}`);
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
    const outer = [this.#options.signal, signal].filter((one) => one !== undefined);
    const limits = limitMs === null ? [] : [AbortSignal.timeout(tryTimeoutMs ?? limitMs)];
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    try {
      return await this.#transport({
        method: request.method,
        url,
        headers: {
          authorization: `Bearer ${apiKey}`,
          accept: request.accept ?? "application/json, application/problem+json",
          ...(body !== undefined && { "content-type": "application/json" }),
          ...request.headers,
        },
        body,
        signal: AbortSignal.any([...outer, ...limits]),
      });
    } catch (cause) {
      for (const one of outer) one.throwIfAborted();
      const fields = { failure: "unreachable" as const, status: null, detail: reasonOf(cause), cause };
      throw new RunpodApiError(request.action, fields);
    }
  }

  async #errorOf(action: string, reply: HttpReply): Promise<RunpodApiError> {
    const text = await readText(reply, MAX_ANSWER_BYTES).catch(() => "");
    const { detail, problems } = problemOf(text, this.#options.apiKey);
    return new RunpodApiError(action, { failure: failureOf(reply.status), status: reply.status, detail, problems });
  }
}

function unreadable(action: string, detail: string, cause: unknown): RunpodApiError {
  return new RunpodApiError(action, { failure: "unreadable", status: null, detail, cause });
}

async function* emptyBody(): AsyncIterable<Uint8Array> {}

function failureOf(status: number): RunpodFailure {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 404) return "not-found";
  if (status === 409) return "conflict";
  if (status === 429) return "rate-limited";
  return status >= 500 ? "unavailable" : "refused";
}

/** Milliseconds; seconds or a date, as HTTP allows. At least one second. */
function retryAfterOf(reply: HttpReply): number {
  const text = reply.headers.get("retry-after")?.trim() ?? "";
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.max(1000, ms) : 1000;
}

/** Detail and validation failures of an RFC 9457 object; of anything else nothing, which could be a page of HTML. */
function problemOf(text: string, apiKey: string): { readonly detail: string; readonly problems: readonly string[] } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { detail: "", problems: [] };
  }
  const problem = (typeof parsed === "object" && parsed !== null ? parsed : {}) as Record<string, unknown>;
  const clean = (value: unknown): string =>
    typeof value === "string" ? value.replaceAll(apiKey, "***").slice(0, MAX_DETAIL_CHARS) : "";
  const errors = Array.isArray(problem["errors"]) ? problem["errors"].slice(0, MAX_PROBLEMS).map(clean) : [];
  return { detail: clean(problem["detail"]) || clean(problem["title"]), problems: errors.filter((one) => one !== "") };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if (error.name === "TimeoutError") return "no answer in time";
  const { cause } = error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return code === "" ? error.message : code;
}
