import { createHash } from "node:crypto";
import { AttemptFailure, retryAfterMs, temporaryFailure, type AttemptOptions, withAttempts } from "../attempts.ts";
import type { StoreRequest } from "../object-store.ts";
import { askBucket } from "./ask-bucket.ts";
import { hasBytes, md5Of, saysOtherBytes } from "./check-bytes.ts";
import {
  holdsForEveryRequest,
  isWorthARetry,
  nameOf,
  readRefusal,
  refusalCode,
  refusalReason,
  STORE_SUBJECT,
  type S3Refusal,
} from "./error-reason.ts";
import { newOnlyHeaders, objectHeaders } from "./object-headers.ts";
import type { S3Answer, S3Client, S3Request } from "./s3-client.ts";

/** A request that is repeated, with the bytes that it uploads. */
export interface S3Upload {
  readonly client: S3Client;
  readonly byteCount: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Stores an object with one PUT. The store gets the SHA-256 and the MD5 of the bytes, and its ETag is compared, because not
 * every store checks them.
 *
 * @throws {HiggsError} STORAGE_* when it cannot be stored, CANCELLED when the signal fires
 */
export async function putObject(
  client: S3Client,
  request: StoreRequest,
  options: AttemptOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const body = await request.audio.read(0, request.audio.size);
  const { key, sha256 } = request;
  const sent = { key, sha256, byteCount: body.byteLength };
  const md5 = md5Of(body);
  const headers = {
    ...objectHeaders(client.target, request),
    ...newOnlyHeaders(client.target),
    ...contentMd5(md5),
  };
  await attemptUpload({ client, byteCount: body.byteLength, signal }, options, async (stop, attempt) => {
    const answer = await sendRead(client, { method: "PUT", key, headers, body, sha256, signal: stop });
    const { refusal } = answer;
    // An earlier attempt may have been stored although its answer was lost.
    if (refusal?.code === "PreconditionFailed" && attempt > 1 && (await hasBytes(client, sent, stop))) return null;
    if (refusal !== null) return refused(refusal, answer);
    if (saysOtherBytes(answer, md5) && !(await hasBytes(client, sent, stop))) return CHANGED;
    return null;
  });
}

/** `withAttempts` for requests to a store. */
export function attemptUpload<T>(
  { client, byteCount, signal }: S3Upload,
  options: AttemptOptions,
  attempt: (stop: AbortSignal, number: number) => Promise<T | AttemptFailure>,
): Promise<T> {
  const { timeoutMs } = client.target;
  const explainBreak = async (limit: AbortSignal): Promise<AttemptFailure | string | null> => {
    const refusal = await askBucket(client, limit).catch(() => null);
    if (refusal === null) return null;
    if (!holdsForEveryRequest(refusal)) return `a query for the bucket gives ${nameOf(refusal)}`;
    return failureOf(refusal, { isWorthARetry: false });
  };
  return withAttempts({ subject: STORE_SUBJECT, byteCount, timeoutMs, signal, explainBreak }, options, attempt);
}

/** Sends a request and reads the body of the answer too: an incomplete response is not a success. */
export async function sendRead(client: S3Client, request: S3Request): Promise<S3Answer> {
  const answer = await client.send(request);
  if (answer.refusal === null) await readRefusal(answer);
  return answer;
}

export function refused(refusal: S3Refusal, { headers }: Pick<S3Answer, "headers">): AttemptFailure {
  return failureOf(refusal, { retryAfterMs: retryAfterMs(headers.get("retry-after")) });
}

export const CHANGED = temporaryFailure("the store kept other bytes than those sent");

export function contentMd5(md5: Buffer | null): Record<string, string> {
  return md5 === null ? {} : { "Content-MD5": md5.toString("base64") };
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function failureOf(
  refusal: S3Refusal,
  facts: Partial<Pick<AttemptFailure, "isWorthARetry" | "retryAfterMs">>,
): AttemptFailure {
  return new AttemptFailure({
    code: refusalCode(refusal),
    isWorthARetry: isWorthARetry(refusal),
    reason: (attempts) => refusalReason(refusal, attempts),
    ...facts,
  });
}
