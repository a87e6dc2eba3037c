import type { ProxyAgent } from "undici";
import { proxyAuthorization } from "./proxy.ts";
import type { Body } from "./read-body.ts";

/** The User-Agent; some servers refuse requests without one. */
export const USER_AGENT = "worker-higgs-audio";

export type HttpMethod = "GET" | "HEAD" | "PUT" | "POST" | "PATCH" | "DELETE";

export interface HttpRequest {
  readonly method: HttpMethod;
  readonly url: URL;
  readonly headers?: Headers | Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** From `proxyFor`; null for a direct connection. */
  readonly proxy: URL | null;
  /** `manual` returns the redirect itself. */
  readonly redirect: "follow" | "manual";
  readonly signal?: AbortSignal | undefined;
}

/** A response whose body is unread; `readBody` reads it, `discardBody` drops it. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: Body | null;
}

/**
 * One request, through a proxy if there is one. Connections are reused.
 *
 * @throws {TypeError} when there is no response; `describeNetworkFailure` reads the reason from its `cause`
 */
export async function sendHttp({ url, proxy, headers, body, signal, ...rest }: HttpRequest): Promise<HttpAnswer> {
  const fields = { "user-agent": USER_AGENT, ...Object.fromEntries(new Headers(headers)) };
  const init = { ...rest, body: body ?? null, headers: fields, signal: signal ?? null };
  if (proxy === null) return fetch(url, init);
  const { fetch: fetchWith } = await import("undici");
  return fetchWith(url, { ...init, dispatcher: await agentOf(proxy) });
}

/** Closes the connection of a response that is not needed. */
export async function discardBody({ body }: HttpAnswer): Promise<void> {
  await body?.[Symbol.asyncIterator]().return?.();
}

/** One per configured proxy; there are at most two. */
const agents = new Map<string, ProxyAgent>();

async function agentOf(proxy: URL): Promise<ProxyAgent> {
  // Its import takes longer than a worker's whole start-up, so it is loaded only where there is a proxy.
  const { ProxyAgent } = await import("undici");
  const authorization = proxyAuthorization(proxy);
  const agent =
    agents.get(proxy.href) ??
    new ProxyAgent({
      uri: new URL("/", proxy).href,
      // Many proxies only tunnel to port 443, so http:// URLs are requested from the proxy itself.
      proxyTunnel: false,
      ...(authorization !== null && { token: authorization }),
    });
  agents.set(proxy.href, agent);
  return agent;
}
