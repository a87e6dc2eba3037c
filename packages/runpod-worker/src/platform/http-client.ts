import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { exchange, type HttpAnswer, type HttpRequest } from "./http-exchange.ts";
import { RequestFailure } from "./request-failure.ts";
import { parseTarget, type RequestTarget } from "./request-target.ts";

/** The same number as the official SDK's client. */
const MAX_REDIRECTS = 10;
const REDIRECT_STATUSES: readonly number[] = [301, 302, 303, 307, 308];

/** We close idle connections first: after a pause of the whole container the other end may be long gone. */
const KEPT_CONNECTIONS = { keepAlive: true, timeout: 30_000 };

/** HTTP client with unlimited keep-alive connections that sends URLs untouched (spec platform §3.1). */
export class HttpClient {
  readonly #httpAgent = new HttpAgent(KEPT_CONNECTIONS);
  readonly #httpsAgent = new HttpsAgent(KEPT_CONNECTIONS);
  #isClosed = false;

  /**
   * Sends a request, follows redirects and reads the whole answer, for any status.
   *
   * @throws {RequestFailure} when no complete answer came
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const endsAtMs = performance.now() + request.timeoutMs;
    let current = request;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      if (this.#isClosed) throw new RequestFailure("aborted", "the client is closed");
      const target = parseTarget(current.url);
      if (target === undefined) throw new RequestFailure("invalid-url", "the URL is not valid");
      const answer = await this.#exchange({ ...current, timeoutMs: Math.max(1, endsAtMs - performance.now()) }, target);
      const { location } = answer.headers;
      if (location === undefined || !REDIRECT_STATUSES.includes(answer.status)) return answer;
      current = redirected(current, target, answer.status, location);
    }
    throw new RequestFailure("connection", `redirected more than ${MAX_REDIRECTS} times`);
  }

  /** Closes idle connections. What is sent from now on fails as aborted, so that nobody goes on trying. */
  close(): void {
    this.#isClosed = true;
    this.#httpAgent.destroy();
    this.#httpsAgent.destroy();
  }

  async #exchange(request: HttpRequest, target: RequestTarget): Promise<HttpAnswer> {
    const agent = target.isSecure ? this.#httpsAgent : this.#httpAgent;
    try {
      return await exchange(request, target, agent);
    } catch (error) {
      // A stale connection says nothing about the request or the server; the second attempt opens a new one.
      if (!this.#isClosed && error instanceof RequestFailure && error.isStaleConnection)
        return exchange(request, target, agent);
      throw error;
    }
  }
}

/** A redirect that leads nowhere is a broken answer like any other; the next attempt may succeed. */
function redirectTarget(location: string, base: string): URL {
  const url = URL.canParse(location, base) ? new URL(location, base) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new RequestFailure("connection", "the answer redirects to an address that is not a valid http URL");
}

/** The request that follows a redirect. A post keeps its body, since a result must not turn into an empty GET. */
function redirected(request: HttpRequest, from: RequestTarget, status: number, location: string): HttpRequest {
  const url = redirectTarget(location, `${from.origin}${from.path}`);
  const { Authorization: _key, ...publicHeaders } = request.headers;
  return {
    ...request,
    url: url.href,
    headers: url.origin === from.origin ? request.headers : publicHeaders,
    ...(status === 303 && { method: "GET", body: undefined }),
  };
}
