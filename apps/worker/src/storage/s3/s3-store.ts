import { setTimeout as sleep } from "node:timers/promises";
import type { ErrorCode } from "@higgs-worker/base";
import { describeNetworkFailure } from "../../network/network-failure.ts";
import { isOutOfTime, timeLimit } from "../../network/time-limit.ts";
import type { ObjectStore, StoreRequest } from "../object-store.ts";
import { askBucket, rememberAsked, wasAsked } from "./ask-bucket.ts";
import { md5Of, keepsOtherBytes } from "./check-bytes.ts";
import {
  holdsForEveryRequest,
  isWorthARetry,
  nameOf,
  readRefusal,
  refusalCode,
  refusalReason,
  storeError,
  type S3Refusal,
} from "./error-reason.ts";
import { objectUrl } from "./object-address.ts";
import { presign, sendSigned } from "./s3-client.ts";
import type { S3Target } from "./target.ts";

export interface S3StoreOptions {
  /** Attempts in total; 5 by default. */
  readonly maxAttempts?: number;
  /** Wait before the second attempt, doubled for each further one and randomly shortened; 250 by default. */
  readonly firstRetryMs?: number;
  /** Time for one attempt, plus one second per 100 KB; 30 000 by default. */
  readonly attemptTimeoutMs?: number;
  /** Time for a query about the bucket; 5000 by default. */
  readonly askTimeoutMs?: number;
}

const MAX_RETRY_MS = 8_000;
const SLOWEST_BYTES_PER_MS = 100;

/**
 * Stores objects in a bucket with one signed PUT each (SigV4). The store gets the SHA-256 and the MD5 of the bytes, and its
 * ETag is compared, because not every store checks them.
 */
export function createS3Store(target: S3Target, options: S3StoreOptions = {}): ObjectStore {
  return {
    check: (key, { signal } = {}) => checkTarget(target, key, options, signal),
    put: async (request, { signal } = {}) => {
      await putWithRetries(target, request, options, signal);
      rememberAsked(target);
      return {
        url: `s3://${target.bucket}/${request.key}`,
        downloadUrl: target.urlExpiresSeconds === 0 ? null : await presign(target, target.publicPlace, request.key),
      };
    },
  };
}

/** What can be checked in advance; a store that does not respond now may do so later. */
async function checkTarget(
  target: S3Target,
  key: string,
  options: S3StoreOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  objectUrl(target, key);
  if (wasAsked(target)) return;
  const refusal = await askBucket(target, timeLimit(options.askTimeoutMs ?? 5_000, signal)).catch((error: unknown) => {
    if (signal?.aborted === true) return throwCancelled(error);
    const { code, reason, isPermanent } = describeNetworkFailure(error);
    if (isPermanent) throw storeError("STORAGE_NOT_CONFIGURED", reason, error);
    // An unknown host name is most likely misspelled; if it appears later, only this job was lost.
    if (code === "ENOTFOUND") throw storeError("STORAGE_FAILED", reason, error);
    return "no answer" as const;
  });
  if (refusal === "no answer") return;
  if (refusal !== null && holdsForEveryRequest(refusal)) {
    throw storeError(refusalCode(refusal), refusalReason(refusal, 1));
  }
  rememberAsked(target);
}

async function putWithRetries(
  target: S3Target,
  request: StoreRequest,
  options: S3StoreOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const maxAttempts = options.maxAttempts ?? 5;
  const md5 = md5Of(request.bytes);
  const endMs = performance.now() + target.timeoutMs;
  for (let attempt = 1; ; attempt++) {
    const failure = await tryPut(target, { ...request, md5 }, { ...options, endMs }, signal);
    if (failure === null) return;
    const reason = failure.reason(attempt);
    if (attempt >= maxAttempts || !failure.isWorthARetry) throw storeError(failure.code, reason, failure.cause);
    const longest = Math.min(MAX_RETRY_MS, (options.firstRetryMs ?? 250) * 2 ** (attempt - 1));
    const wait = Math.max(failure.retryAfterMs, longest * (0.5 + Math.random() / 2));
    if (performance.now() + wait >= endMs) {
      const limit = `limit ${target.timeoutMs / 1000} s, S3_TIMEOUT_SECONDS`;
      throw storeError("STORAGE_FAILED", `${reason}, and no time is left to retry (${limit})`, failure.cause);
    }
    await sleep(wait, undefined, { signal }).catch(throwCancelled);
  }
}

interface PutFailure {
  readonly code: ErrorCode;
  readonly isWorthARetry: boolean;
  /** What the store asked for, 0 … 8000. */
  readonly retryAfterMs: number;
  /** Why, in words, after this many attempts. */
  readonly reason: (attempts: number) => string;
  readonly cause: unknown;
}

interface PutOptions extends S3StoreOptions {
  /** Deadline of the whole delivery, on the clock of `performance`. */
  readonly endMs: number;
}

interface CheckedRequest extends StoreRequest {
  /** MD5 of the bytes; null when this machine has no MD5. */
  readonly md5: Buffer | null;
}

async function tryPut(
  target: S3Target,
  { key, bytes, mimeType, sha256, md5 }: CheckedRequest,
  options: PutOptions,
  signal: AbortSignal | undefined,
): Promise<PutFailure | null> {
  const attemptMs = (options.attemptTimeoutMs ?? 30_000) + bytes.byteLength / SLOWEST_BYTES_PER_MS;
  const limitMs = withinDelivery(attemptMs, options);
  const stop = timeLimit(limitMs, signal);
  try {
    const headers = { "Content-Type": mimeType, ...(md5 && { "Content-MD5": md5.toString("base64") }) };
    const url = objectUrl(target, key);
    const answer = await sendSigned(target, { method: "PUT", url, headers, body: bytes, sha256, signal: stop });
    // The body is read too: an incomplete response is not a success.
    const refusal = await readRefusal(answer);
    if (answer.status >= 300) return refused(refusal, answer.headers.get("retry-after"));
    const isOther = await keepsOtherBytes(target, answer, { key, sha256, md5, byteCount: bytes.byteLength }, stop);
    return isOther ? CHANGED : null;
  } catch (error) {
    if (signal?.aborted === true) return throwCancelled(error);
    if (isOutOfTime(stop)) return temporary(`no answer within ${limitMs} ms`, error);
    return await unreachable(target, error, options, signal);
  }
}

function refused(refusal: S3Refusal, retryAfter: string | null): PutFailure {
  const seconds = Number(retryAfter ?? 0);
  return {
    code: refusalCode(refusal),
    isWorthARetry: isWorthARetry(refusal),
    retryAfterMs: Number.isFinite(seconds) ? Math.min(Math.max(0, seconds * 1000), MAX_RETRY_MS) : 0,
    reason: (attempts) => refusalReason(refusal, attempts),
    cause: undefined,
  };
}

const CHANGED = temporary("the store kept other bytes than those sent", undefined);

function temporary(reason: string, cause: unknown): PutFailure {
  return {
    code: "STORAGE_FAILED",
    isWorthARetry: true,
    retryAfterMs: 0,
    reason: (attempts) => `${reason} (got ${attempts} failed attempts)`,
    cause,
  };
}

/** A broken connection may be the store's way to refuse; then it is asked for the reason. */
async function unreachable(
  target: S3Target,
  error: unknown,
  options: PutOptions,
  signal: AbortSignal | undefined,
): Promise<PutFailure> {
  const { reason, isPermanent, isBroken } = describeNetworkFailure(error);
  if (isPermanent) {
    return { ...temporary(reason, error), code: "STORAGE_NOT_CONFIGURED", isWorthARetry: false, reason: () => reason };
  }
  if (!isBroken) return temporary(reason, error);
  const askMs = withinDelivery(options.askTimeoutMs ?? 5_000, options);
  const refusal = await askBucket(target, timeLimit(askMs, signal)).catch(() => null);
  if (signal?.aborted === true) throwCancelled(error);
  if (refusal === null) return temporary(reason, error);
  if (holdsForEveryRequest(refusal)) return { ...refused(refusal, null), isWorthARetry: false };
  return temporary(`${reason}, and a query for the bucket gives ${nameOf(refusal)}`, error);
}

function withinDelivery(timeoutMs: number, { endMs }: PutOptions): number {
  return Math.max(1, Math.ceil(Math.min(timeoutMs, endMs - performance.now())));
}

function throwCancelled(cause: unknown): never {
  throw storeError("CANCELLED", "the request was cancelled", cause);
}
