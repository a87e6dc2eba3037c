import { setTimeout as sleep } from "node:timers/promises";
import { HiggsError } from "@higgs-worker/base";
import type { AwsClient } from "aws4fetch";
import type { ObjectStore, StoredObject, StoreRequest } from "../object-store.ts";
import { isWorthARetry, readRefusal, refusalError, type S3Refusal } from "./error-reason.ts";
import type { S3Target } from "./target.ts";

export interface S3StoreOptions {
  /** Tries in all; 5 unless told. */
  readonly maxAttempts?: number;
  /** Wait before the second try, doubled for each further one, and shortened at random; 250 unless told. */
  readonly firstRetryMs?: number;
  /** Time for one try, besides one second for each 100 KB; 30 000 unless told. */
  readonly attemptTimeoutMs?: number;
}

const MAX_RETRY_MS = 8_000;
const SLOWEST_BYTES_PER_MS = 100;
/** More of an error's body than this is not read. */
const MAX_ERROR_BODY_CHARS = 8_192;

/** Stores objects in a bucket with one signed PUT each (SigV4, payload hash included, so that a store checks every byte). */
export function createS3Store(target: S3Target, options: S3StoreOptions = {}): ObjectStore {
  return {
    put: async (request, { signal } = {}) => {
      const { AwsClient } = await import("aws4fetch");
      const client = new AwsClient({
        accessKeyId: target.credentials.accessKeyId,
        secretAccessKey: target.credentials.secretAccessKey,
        ...(target.credentials.sessionToken === null ? {} : { sessionToken: target.credentials.sessionToken }),
        service: "s3",
        region: target.region,
        retries: 0,
      });
      await putWithRetries(client, target, request, options, signal ?? null);
      return describeObject(client, target, request.key);
    },
  };
}

/** The address of an object; every byte of the key that is not unreserved is escaped, as SigV4 counts it. */
function objectUrl(target: S3Target, key: string): URL {
  const path = key.split("/").map(escapeSegment).join("/");
  const url = new URL(target.endpoint);
  if (target.usesPathStyle) url.pathname = `/${escapeSegment(target.bucket)}/${path}`;
  else {
    url.hostname = `${target.bucket}.${url.hostname}`;
    url.pathname = `/${path}`;
  }
  return url;
}

function escapeSegment(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

async function putWithRetries(
  client: AwsClient,
  target: S3Target,
  request: StoreRequest,
  options: S3StoreOptions,
  signal: AbortSignal | null,
): Promise<void> {
  const maxAttempts = options.maxAttempts ?? 5;
  for (let attempt = 1; ; attempt++) {
    const failure = await tryPut(client, target, request, options, signal);
    if (failure === null) return;
    if (attempt >= maxAttempts || !failure.isWorthARetry) throw failure.toError(attempt);
    const longest = Math.min(MAX_RETRY_MS, (options.firstRetryMs ?? 250) * 2 ** (attempt - 1));
    const wait = Math.max(failure.retryAfterMs, longest * (0.5 + Math.random() / 2));
    await sleep(wait, undefined, signal === null ? {} : { signal }).catch((error: unknown) => throwCancelled(error));
  }
}

interface PutFailure {
  readonly isWorthARetry: boolean;
  /** What the store asked for, 0 … 8000. */
  readonly retryAfterMs: number;
  toError(attempts: number): HiggsError;
}

async function tryPut(
  client: AwsClient,
  target: S3Target,
  { key, bytes, mimeType, sha256 }: StoreRequest,
  options: S3StoreOptions,
  signal: AbortSignal | null,
): Promise<PutFailure | null> {
  const limitMs = (options.attemptTimeoutMs ?? 30_000) + bytes.byteLength / SLOWEST_BYTES_PER_MS;
  const timeout = AbortSignal.timeout(Math.ceil(limitMs));
  try {
    const signed = await client.sign(objectUrl(target, key), {
      method: "PUT",
      headers: { "Content-Type": mimeType, "X-Amz-Content-Sha256": sha256 },
      body: bytes,
      aws: { allHeaders: true },
    });
    const response = await fetch(signed, {
      redirect: "manual",
      signal: signal === null ? timeout : AbortSignal.any([signal, timeout]),
    });
    const body = await response.text();
    if (response.ok) return null;
    return refused(
      readRefusal(response.status, response.headers, body.slice(0, MAX_ERROR_BODY_CHARS)),
      response.headers,
    );
  } catch (error) {
    if (signal?.aborted === true) return throwCancelled(error);
    return unreachable(error, timeout.aborted ? limitMs : null);
  }
}

function refused(refusal: S3Refusal, headers: Headers): PutFailure {
  const seconds = Number(headers.get("retry-after") ?? 0);
  return {
    isWorthARetry: isWorthARetry(refusal),
    retryAfterMs: Number.isFinite(seconds) ? Math.min(Math.max(0, seconds * 1000), MAX_RETRY_MS) : 0,
    toError: (attempts) => refusalError(refusal, attempts),
  };
}

function unreachable(error: unknown, timedOutMs: number | null): PutFailure {
  const reason =
    timedOutMs === null ? `no connection, ${connectionReason(error)}` : `no answer within ${Math.round(timedOutMs)} ms`;
  return {
    isWorthARetry: true,
    retryAfterMs: 0,
    toError: (attempts) =>
      new HiggsError("STORAGE_FAILED", "store the audio in S3", `${reason} (got ${attempts} failed attempts)`, {
        cause: error,
      }),
  };
}

/** The code that the network stack gives, such as ECONNREFUSED; never its message, which may repeat the signed address. */
function connectionReason(error: unknown): string {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ("code" in current && typeof current.code === "string") return current.code;
  }
  return "the request failed";
}

function throwCancelled(cause: unknown): never {
  throw new HiggsError("CANCELLED", "store the audio in S3", "the request was cancelled", { cause });
}

async function describeObject(client: AwsClient, target: S3Target, key: string): Promise<StoredObject> {
  const url = `s3://${target.bucket}/${key}`;
  if (target.urlExpiresSeconds === 0) return { url, downloadUrl: null };
  const address = objectUrl(target, key);
  address.searchParams.set("X-Amz-Expires", String(target.urlExpiresSeconds));
  const signed = await client.sign(address, { method: "GET", aws: { signQuery: true } });
  return { url, downloadUrl: signed.url };
}
