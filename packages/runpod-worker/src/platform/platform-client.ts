import { HttpClient } from "./http-client.ts";
import type { HttpAnswer } from "./http-exchange.ts";

export interface PlatformClientOptions {
  /** Sent raw, without `Bearer`; empty when the environment has none (W17). */
  readonly apiKey: string;
  readonly userAgent: string;
}

export interface PollOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly graceIdleMs?: number | undefined;
}

export interface PostOptions {
  readonly jobId: string;
  readonly body: Buffer;
  readonly timeoutMs: number;
  readonly idleTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The two kinds of request that a worker's main thread makes, with the headers of spec platform §3.1. */
export class PlatformClient {
  readonly #http = new HttpClient();
  readonly #commonHeaders: Readonly<Record<string, string>>;

  constructor(options: PlatformClientOptions) {
    this.#commonHeaders = {
      Authorization: options.apiKey,
      "User-Agent": options.userAgent,
      Accept: "*/*",
      "Accept-Encoding": "gzip, deflate",
    };
  }

  /**
   * A take or a stop poll. Carries no job id, since a poll belongs to no job (W20).
   *
   * @throws {RequestFailure} when no complete answer came
   */
  poll(url: string, options: PollOptions): Promise<HttpAnswer> {
    const headers = { ...this.#commonHeaders, "Content-Type": "application/json" };
    return this.#http.send({ method: "GET", url, headers, ...options });
  }

  /**
   * A result, a progress update or a chunk, with its own job's id in `X-Request-ID` (W18, W19).
   *
   * @throws {RequestFailure} when no answer came
   */
  post(url: string, { jobId, ...options }: PostOptions): Promise<HttpAnswer> {
    const headers = {
      ...this.#commonHeaders,
      // The body is JSON anyway; whether the server accepts another type is unknown.
      "Content-Type": "application/x-www-form-urlencoded",
      charset: "utf-8",
      "X-Request-ID": headerValue(jobId),
    };
    // The status says what a post did; repeating it because the body broke off would deliver twice.
    return this.#http.send({ method: "POST", url, headers, isBodyIgnored: true, ...options });
  }

  close(): void {
    this.#http.close();
  }
}

/** An id with characters that a header cannot carry is percent-encoded; no id seen so far has any. */
function headerValue(jobId: string): string {
  // An unpaired surrogate, which cannot be encoded, becomes U+FFFD, as it does in the URL.
  return /^[\x21-\x7e]+$/.test(jobId) ? jobId : encodeURIComponent(Buffer.from(jobId).toString());
}
