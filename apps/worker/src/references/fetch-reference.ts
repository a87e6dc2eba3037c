import type { IncomingMessage } from "node:http";
import { HiggsError, isHiggsError } from "@higgs-worker/base";
import { AddressRefusal, type AddressRules, allowedAddresses, parseUntrustedUrl } from "../network/checked-address.ts";
import { USER_AGENT } from "../network/http-request.ts";
import { describeNetworkFailure } from "../network/network-failure.ts";
import { requestPinned } from "../network/pinned-request.ts";
import { proxyFor, type ProxySettings } from "../network/proxy.ts";
import { readBody, type BodyLimits } from "../network/read-body.ts";
import { isOutOfTime, timeLimit } from "../network/time-limit.ts";
import { invalidReference, refusedReference } from "./reference-errors.ts";

export interface FetchLimits {
  readonly maxBytes: number;
  /** For the whole response, including redirects. */
  readonly timeoutMs: number;
  readonly maxRedirects: number;
}

export interface FetchReferenceOptions extends AddressRules {
  /** The reference's name in messages, such as `ref_audio[0]`. */
  readonly where: string;
  readonly limits: FetchLimits;
  /** The environment's proxies; none by default. They get the checked address. */
  readonly proxies?: ProxySettings;
  /** Additional CA certificates, as PEM; for tests. */
  readonly ca?: string;
  /** Throws when the first bytes cannot be audio, so that reading stops. */
  readonly checkStart?: (bytes: Uint8Array) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Number of bytes for `checkStart`. */
const START_BYTES = 4096;

/**
 * Fetches an untrusted URL: only https, only public addresses. The host name is resolved once and the connection goes to the
 * checked address, even if the name resolves differently later; each redirect is checked the same way.
 *
 * @throws {HiggsError} REFERENCE_REFUSED when the URL is not allowed; messages never contain it
 * @throws {HiggsError} REFERENCE_INVALID when there is no response of the allowed size in time
 * @throws {HiggsError} CANCELLED when the signal fires
 */
export async function fetchReference(address: string, options: FetchReferenceOptions): Promise<Buffer> {
  const { limits, where, signal } = options;
  const stop = timeLimit(limits.timeoutMs, signal);
  try {
    let url = parseUntrustedUrl(address, options);
    for (let redirects = 0; redirects <= limits.maxRedirects; redirects++) {
      const response = await connect(url, options, stop);
      const target = redirectTarget(response, url, options);
      if (target === null) return await readFile(response, options);
      response.destroy();
      url = target;
    }
    throw invalidReference(where, `it redirects too often (limit ${limits.maxRedirects})`);
  } catch (error) {
    if (signal?.aborted === true) throw new HiggsError("CANCELLED", `read ${where}`, "the request was cancelled");
    if (isHiggsError(error)) throw error;
    if (error instanceof AddressRefusal) throw refusedReference(where, error.reason);
    if (isOutOfTime(stop))
      throw invalidReference(where, `its server is too slow (limit ${limits.timeoutMs} ms)`, error);
    const { code, reason } = describeNetworkFailure(error);
    throw invalidReference(where, `its server cannot be read (${code === "" ? reason : code})`, error);
  }
}

/** The response from one of the host's addresses, all of which must be allowed. */
async function connect(url: URL, options: FetchReferenceOptions, stop: AbortSignal): Promise<IncomingMessage> {
  const addresses = await allowedAddresses(url, options, stop);
  if (addresses.length === 0) throw invalidReference(options.where, "its host name does not resolve");
  const proxy = options.proxies === undefined ? null : proxyFor(url, options.proxies);
  let failure: unknown;
  for (const address of addresses) {
    try {
      return await requestPinned({
        method: "GET",
        url,
        address,
        headers: HEADERS,
        proxy,
        signal: stop,
        ca: options.ca,
      });
    } catch (error) {
      stop.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

const HEADERS = {
  accept: "audio/*, application/octet-stream;q=0.5",
  "accept-encoding": "identity",
  "user-agent": USER_AGENT,
};

/** The redirect's target; null for the final response. Throws for a status that is neither. */
function redirectTarget(response: IncomingMessage, url: URL, options: FetchReferenceOptions): URL | null {
  const { statusCode = 0, headers } = response;
  if (statusCode === 200) return null;
  response.resume();
  if ([301, 302, 303, 307, 308].includes(statusCode) && headers.location !== undefined) {
    return parseUntrustedUrl(headers.location, options, url);
  }
  response.destroy();
  throw invalidReference(options.where, `its server answered with status ${statusCode}`);
}

async function readFile(response: IncomingMessage, options: FetchReferenceOptions): Promise<Buffer> {
  const { where, limits, checkStart } = options;
  try {
    const { "content-length": length, "content-encoding": encoding = "" } = response.headers;
    if (!/^\s*(?:identity)?\s*$/i.test(encoding)) throw invalidReference(where, "its server sent it compressed");
    if (Number(length) > limits.maxBytes) throw tooLarge(where, limits);
    const { bytes, isWhole } = await readBody(response, { maxBytes: limits.maxBytes, onPart: onStart(checkStart) });
    if (!isWhole) throw tooLarge(where, limits);
    if (bytes.byteLength === 0) throw invalidReference(where, "its server sent nothing");
    return bytes;
  } finally {
    response.destroy();
  }
}

/** Passes the first bytes to a check as soon as there are enough. */
function onStart(check: FetchReferenceOptions["checkStart"]): BodyLimits["onPart"] {
  const start: Uint8Array[] = [];
  let isChecked = check === undefined;
  return (part, byteCount) => {
    if (isChecked) return;
    start.push(part);
    if (byteCount < START_BYTES) return;
    isChecked = true;
    check?.(Buffer.concat(start.splice(0)));
  };
}

function tooLarge(where: string, { maxBytes }: FetchLimits): HiggsError {
  return invalidReference(where, `the file is too large (limit ${maxBytes} bytes)`);
}
