import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { HiggsError, isHiggsError } from "@higgs-worker/base";
import { isLoopbackAddress, isPublicAddress } from "runpod-worker/network";
import { invalidReference, refusedReference } from "./reference-errors.ts";

export interface FetchLimits {
  readonly maxBytes: number;
  /** For the whole answer, redirects included. */
  readonly timeoutMs: number;
  readonly maxRedirects: number;
}

export interface FetchReferenceOptions {
  /** How messages call the reference, such as `ref_audio[0]`. */
  readonly where: string;
  readonly limits: FetchLimits;
  /** Also `http:` and `https:` on this machine's own addresses; for tests and the command line. */
  readonly allowLoopback?: boolean;
  /** Addresses of a host name; asked once a connection. */
  readonly resolve?: (hostname: string) => Promise<readonly LookupAddress[]>;
  /** Throws when the first bytes cannot be audio, so that nothing more of it is read. */
  readonly checkStart?: (bytes: Uint8Array) => void;
  readonly signal?: AbortSignal;
}

/** First bytes that `checkStart` is given. */
const START_BYTES = 4096;

/**
 * Reads an address that a stranger chose: https only, public addresses only. The host name is resolved once and the
 * connection goes to the address that was checked, whatever the name means later; each redirect is checked in the same way.
 *
 * @throws HiggsError REFERENCE_REFUSED for an address that is not allowed, REFERENCE_INVALID for anything that is not an
 *   answer of a bounded size in time, CANCELLED; messages never hold the address.
 */
export async function fetchReference(address: string, options: FetchReferenceOptions): Promise<Buffer> {
  const { limits, where, signal } = options;
  const deadline = AbortSignal.timeout(limits.timeoutMs);
  const stop = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  try {
    let url = parseAddress(address, options);
    for (let redirects = 0; redirects <= limits.maxRedirects; redirects++) {
      const response = await connect(url, options, stop);
      const target = redirectTarget(response, url, options);
      if (target === null) return await readBody(response, options);
      response.destroy();
      url = target;
    }
    throw invalidReference(where, `it redirects too often (limit ${limits.maxRedirects})`);
  } catch (error) {
    if (signal?.aborted === true) throw new HiggsError("CANCELLED", `read ${where}`, "the request was cancelled");
    if (isHiggsError(error)) throw error;
    if (deadline.aborted) throw invalidReference(where, `its server is too slow (limit ${limits.timeoutMs} ms)`, error);
    throw invalidReference(where, `its server cannot be read (${codeOf(error)})`, error);
  }
}

function parseAddress(address: string, { where, allowLoopback = false }: FetchReferenceOptions, base?: URL): URL {
  if (!URL.canParse(address, base?.href)) throw refusedReference(where, "its address is no URL");
  const url = new URL(address, base);
  const isAllowed = url.protocol === "https:" || (url.protocol === "http:" && allowLoopback);
  if (!isAllowed) throw refusedReference(where, `only https addresses are read (got ${url.protocol.slice(0, 16)})`);
  if (url.username !== "" || url.password !== "")
    throw refusedReference(where, "its address holds a user name or password");
  return url;
}

/** The answer to a request to one of the addresses of the host, all of which must be allowed. */
async function connect(url: URL, options: FetchReferenceOptions, stop: AbortSignal): Promise<IncomingMessage> {
  const addresses = await allowedAddresses(url, options, stop);
  let failure: unknown;
  for (const address of addresses) {
    try {
      return await send(url, address, stop);
    } catch (error) {
      stop.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

async function allowedAddresses(
  url: URL,
  { where, allowLoopback = false, resolve = resolveHost }: FetchReferenceOptions,
  stop: AbortSignal,
): Promise<readonly LookupAddress[]> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const family = isIP(host);
  const addresses = family === 0 ? await orAborted(resolve(host), stop) : [{ address: host, family }];
  const isAllowed = ({ address }: LookupAddress): boolean =>
    (allowLoopback && isLoopbackAddress(address)) || (url.protocol === "https:" && isPublicAddress(address));
  if (addresses.length === 0) throw invalidReference(where, "its host name has no address");
  if (!addresses.every(isAllowed)) throw refusedReference(where, "its address is not on the public internet");
  return addresses;
}

function resolveHost(hostname: string): Promise<LookupAddress[]> {
  return lookup(hostname, { all: true, order: "ipv4first" });
}

function send(url: URL, { address, family }: LookupAddress, stop: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    request(
      url,
      {
        // A fresh connection, to the address that was checked: no pool and no second look-up.
        agent: false,
        lookup: (_hostname, { all }, callback) =>
          all === true ? callback(null, [{ address, family }]) : callback(null, address, family),
        headers: { accept: "audio/*, application/octet-stream;q=0.5", "accept-encoding": "identity" },
        maxHeaderSize: 16_384,
        signal: stop,
      },
      resolve,
    )
      .on("error", reject)
      .end();
  });
}

/** Where the answer sends us; null when it is the last one. Throws for a status that is neither. */
function redirectTarget(response: IncomingMessage, url: URL, options: FetchReferenceOptions): URL | null {
  const { statusCode = 0, headers } = response;
  if (statusCode === 200) return null;
  response.resume();
  if ([301, 302, 303, 307, 308].includes(statusCode) && headers.location !== undefined) {
    return parseAddress(headers.location, options, url);
  }
  response.destroy();
  throw invalidReference(options.where, `its server answers with status ${statusCode}`);
}

async function readBody(response: IncomingMessage, options: FetchReferenceOptions): Promise<Buffer> {
  const { where, limits, checkStart } = options;
  try {
    const { "content-length": length, "content-encoding": encoding = "identity" } = response.headers;
    if (encoding !== "identity") throw invalidReference(where, "its server sends it compressed");
    if (Number(length) > limits.maxBytes) throw tooLarge(where, limits);
    const chunks: Buffer[] = [];
    let byteCount = 0;
    let isChecked = checkStart === undefined;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      byteCount += chunk.length;
      if (byteCount > limits.maxBytes) throw tooLarge(where, limits);
      chunks.push(chunk);
      if (!isChecked && byteCount >= START_BYTES) {
        checkStart?.(Buffer.concat(chunks));
        isChecked = true;
      }
    }
    if (byteCount === 0) throw invalidReference(where, "its server sends nothing");
    return Buffer.concat(chunks);
  } finally {
    response.destroy();
  }
}

function tooLarge(where: string, { maxBytes }: FetchLimits): HiggsError {
  return invalidReference(where, `the file is too large (limit ${maxBytes} bytes)`);
}

/** A look-up cannot be stopped, only no longer waited for. */
function orAborted<T>(promise: Promise<T>, stop: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(stop.reason as Error);
    stop.addEventListener("abort", onAbort, { once: true });
    if (stop.aborted) onAbort();
    void promise.then(resolve, reject).finally(() => stop.removeEventListener("abort", onAbort));
  });
}

/** A word for a failed connection; never its address. */
function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "connection failed";
}
