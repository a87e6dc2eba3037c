import { HiggsError } from "@higgs-worker/base";
import type { Config } from "../../config/settings.ts";
import {
  AddressRefusal,
  type AddressRules,
  allowedAddresses,
  parseUntrustedUrl,
} from "../../network/checked-address.ts";
import { type HttpAnswer, USER_AGENT } from "../../network/http-request.ts";
import { describeNetworkFailure } from "../../network/network-failure.ts";
import { requestPinned } from "../../network/pinned-request.ts";
import { proxyFor } from "../../network/proxy.ts";
import { isOutOfTime, timeLimit } from "../../network/time-limit.ts";
import { AttemptFailure, retryAfterMs, withAttempts, type AttemptOptions } from "../attempts.ts";
import type { AudioSource, ObjectStore, StoreRequest } from "../object-store.ts";
import { isWorthARetry, nameOf, readRefusal, type S3Refusal } from "../s3/error-reason.ts";
import { presignedProblem } from "./presigned-url.ts";

export interface PutUrlOptions extends Pick<AddressRules, "allowLoopback" | "resolve"> {
  /** Additional CA certificates, as PEM; for tests. */
  readonly ca?: string | undefined;
}

interface PutUrlStoreOptions extends PutUrlOptions {
  readonly config: Config;
  readonly attempts?: AttemptOptions | undefined;
}

const SUBJECT = "upload the audio to put_url";
const RESOLVE_TIMEOUT_MS = 5_000;
const READ_BYTES = 262_144;

/**
 * Sends a file to one address that a job gave, presigned for PUT by whoever owns the place. The address is checked as those of
 * references are: only https, only public hosts, and the connection goes to the address that was checked.
 */
export function createPutUrlStore(address: string, options: PutUrlStoreOptions): ObjectStore {
  const { config } = options;
  const trustedHosts = (config.putUrlHosts ?? "")
    .split(",")
    .map((host) => host.trim())
    .filter((host) => host !== "");
  const target: Target = { ...options, rules: { ...options, trustedHosts } };
  return {
    check: async (_key, { signal } = {}) => {
      const url = parse(address, target);
      const limit = timeLimit(RESOLVE_TIMEOUT_MS, signal);
      await allowedAddresses(url, target.rules, limit).catch((error: unknown) => {
        if (error instanceof AddressRefusal) throw refusedAddress(error.reason);
        if (signal?.aborted === true) throw new HiggsError("CANCELLED", SUBJECT, "the request was cancelled");
        // A resolver that does not answer now may do so later.
        const { code, reason } = describeNetworkFailure(error);
        if (!isOutOfTime(limit) && code === "ENOTFOUND") throw refusedAddress(reason);
      });
    },
    put: async (request, { signal, onProgress } = {}) => {
      const url = parse(address, target);
      const { timeoutMs, attempts = {} } = { timeoutMs: config.s3TimeoutSeconds * 1000, ...options };
      const upload = { subject: SUBJECT, byteCount: request.audio.size, timeoutMs, signal };
      await withAttempts(upload, attempts, (stop) => send(url, request, target, stop));
      onProgress?.({ bytes: request.audio.size, parts: 1 });
      return { url: withoutSignature(url), downloadUrl: null };
    },
  };
}

interface Target extends PutUrlStoreOptions {
  readonly rules: AddressRules;
}

/** @throws {HiggsError} INVALID_INPUT when the address cannot work */
function parse(address: string, { rules }: Target): URL {
  try {
    const url = parseUntrustedUrl(address, rules);
    const problem = presignedProblem(url, Date.now());
    if (problem !== null) throw new AddressRefusal(problem);
    return url;
  } catch (error) {
    throw error instanceof AddressRefusal ? refusedAddress(error.reason) : error;
  }
}

/** One attempt, at the first of the host's addresses that can be connected to. */
async function send(
  url: URL,
  request: StoreRequest,
  target: Target,
  stop: AbortSignal,
): Promise<null | AttemptFailure> {
  const answer = await connect(url, request, target, stop);
  // The body is read too: an incomplete response is not a success.
  const refusal = await readRefusal(answer);
  if (answer.status >= 200 && answer.status < 300) return null;
  return new AttemptFailure({
    code: refusal.status >= 500 || isWorthARetry(refusal) ? "STORAGE_FAILED" : "STORAGE_DENIED",
    isWorthARetry: isWorthARetry(refusal),
    retryAfterMs: retryAfterMs(answer.headers.get("retry-after")),
    reason: (attempts) =>
      `${hintOf(refusal)} (got ${nameOf(refusal)}${attempts > 1 ? ` after ${attempts} attempts` : ""})`,
  });
}

async function connect(url: URL, request: StoreRequest, target: Target, stop: AbortSignal): Promise<HttpAnswer> {
  const addresses = await allowedAddresses(url, target.rules, stop).catch((error: unknown) => {
    throw error instanceof AddressRefusal ? refusedAddress(error.reason) : error;
  });
  let failure: unknown = Object.assign(new Error("no address"), { code: "ENOTFOUND" });
  for (const address of addresses) {
    try {
      const { audio, mimeType } = request;
      const answer = await requestPinned({
        method: "PUT",
        url,
        address,
        headers: { ...headersFor(url), "content-type": mimeType, "content-length": String(audio.size) },
        body: parts(audio),
        proxy: proxyFor(url, target.config),
        signal: stop,
        ca: target.ca,
      });
      const { statusCode = 0, headers } = answer;
      const get = (name: string) => String(headers[name] ?? "") || null;
      return { status: statusCode, headers: { get }, body: answer };
    } catch (error) {
      stop.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

function headersFor({ hostname }: URL): Record<string, string> {
  // Azure's stores refuse a PUT that does not say what is made.
  const isAzure = hostname.endsWith(".blob.core.windows.net");
  return { "user-agent": USER_AGENT, ...(isAzure && { "x-ms-blob-type": "BlockBlob" }) };
}

async function* parts(audio: AudioSource): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < audio.size; start += READ_BYTES) {
    yield await audio.read(start, Math.min(start + READ_BYTES, audio.size));
  }
}

function hintOf({ status, code }: S3Refusal): string {
  if (code === "SignatureDoesNotMatch") return "the address is signed for something else, such as another Content-Type";
  if (status === 401 || status === 403) return "the address is not accepted; it may have expired";
  if (status === 404) return "there is nothing at the address, such as the bucket";
  if (status === 412) return "an object is there already";
  if (status === 413) return "the file is larger than the server's limit";
  if (status >= 300 && status < 400) return "the address redirects, which its signature does not allow";
  return "the server did not accept it";
}

function refusedAddress(reason: string): HiggsError {
  return new HiggsError("INVALID_INPUT", SUBJECT, reason);
}

/** Where the audio is; what follows may be a signature. */
function withoutSignature(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
