import type { LookupAddress } from "node:dns";
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { connect as connectTls } from "node:tls";
import { proxyAuthorization } from "./proxy.ts";

export interface PinnedRequest {
  readonly method: "GET" | "PUT";
  readonly url: URL;
  /** The host's address to connect to, even if its name now resolves to another one. */
  readonly address: LookupAddress;
  readonly headers: Readonly<Record<string, string>>;
  /** Null for a direct connection. */
  readonly proxy: URL | null;
  /** Sent after the headers, which must have its length; none by default. */
  readonly body?: AsyncIterable<Uint8Array> | undefined;
  readonly signal: AbortSignal;
  /** Additional CA certificates, as PEM. */
  readonly ca?: string | undefined;
}

/** Limit for the response headers, in bytes. */
const MAX_HEADER_BYTES = 16_384;

/**
 * A request over a new connection to one checked address of a host. A proxy gets that address, not the name, so that it cannot
 * be led elsewhere; TLS and the `Host` header use the name.
 *
 * @throws {Error} of the connection; with the code `PROXY_REFUSED` when the proxy does not open a tunnel
 */
export async function requestPinned(request: PinnedRequest): Promise<IncomingMessage> {
  const { method, url, address, headers, proxy, signal, ca, body } = request;
  const common = { method, headers, maxHeaderSize: MAX_HEADER_BYTES, signal, ca };
  if (proxy === null) {
    const lookup: RequestOptions["lookup"] = (_hostname, { all }, callback) =>
      all === true ? callback(null, [address]) : callback(null, address.address, address.family);
    return sendRequest(url, { ...common, agent: false, lookup }, body);
  }
  const tunnel = await openTunnel(request, proxy);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const name = isIP(host) === 0 ? { servername: host } : {};
  const createConnection = () =>
    url.protocol === "https:" ? connectTls({ socket: tunnel, host, ...name, ca }) : tunnel;
  // No agent: it would open its own connection, bypassing the proxy. Without one the default port of https is 80, which
  // would appear in the header.
  return sendRequest(url, { ...common, headers: { ...headers, host: url.host }, createConnection }, body);
}

function sendRequest(
  url: URL,
  options: RequestOptions,
  body: AsyncIterable<Uint8Array> | undefined,
): Promise<IncomingMessage> {
  const open = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = open(url, options, resolve).on("error", reject);
    if (body === undefined) request.end();
    // A server may answer before it has read everything, and hang up.
    else pipeline(body, request).catch(reject);
  });
}

function openTunnel({ url, address, signal }: PinnedRequest, proxy: URL): Promise<Socket> {
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  const path = `${address.family === 6 ? `[${address.address}]` : address.address}:${port}`;
  const authorization = proxyAuthorization(proxy);
  const headers = { host: path, ...(authorization !== null && { "proxy-authorization": authorization }) };
  const request = proxy.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    request(new URL("/", proxy), { method: "CONNECT", path, headers, agent: false, signal })
      .on("connect", (answer, socket: Socket) => {
        if (answer.statusCode === 200) return resolve(socket);
        socket.destroy();
        reject(proxyRefusal(answer.statusCode ?? 0));
      })
      .on("response", (answer) => {
        answer.destroy();
        reject(proxyRefusal(answer.statusCode ?? 0));
      })
      .on("error", reject)
      .end();
  });
}

/** A proxy's refusal, as `describeNetworkFailure` reads it. */
function proxyRefusal(statusCode: number): Error {
  return Object.assign(new Error(`the proxy answers with status ${statusCode}`), { code: "PROXY_REFUSED", statusCode });
}
