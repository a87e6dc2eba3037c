import { createHash } from "node:crypto";
import { LruCache } from "@higgs-worker/base";
import { discardBody } from "../../network/http-request.ts";
import { readRefusal, type S3Refusal } from "./error-reason.ts";
import { bucketUrl } from "./object-address.ts";
import { sendSigned } from "./s3-client.ts";
import type { S3Target } from "./target.ts";

/**
 * Asks for the bucket with a request without a body, so that what a store has against key, clock, region or bucket arrives
 * whole: many stores close the connection of a large upload that they refuse, and the sender sees nothing but that.
 * Null when the store has nothing against it. A refusal may be about the question alone: a key that may only write has
 * no right to ask.
 *
 * @throws as `sendSigned` does.
 */
export async function askBucket(target: S3Target, signal: AbortSignal): Promise<S3Refusal | null> {
  const url = bucketUrl(target);
  const head = await sendSigned(target, { method: "HEAD", url, signal });
  await discardBody(head);
  if (head.status < 300) return null;
  // The answer to a HEAD has no body, which is where the reason stands. A list of one key has it; a question for the
  // location is answered by some stores for buckets that do not exist.
  url.searchParams.set("list-type", "2");
  url.searchParams.set("max-keys", "1");
  const answer = await sendSigned(target, { method: "GET", url, signal });
  if (answer.status < 300) {
    await discardBody(answer);
    return { status: head.status, code: "", region: head.headers.get("x-amz-bucket-region") };
  }
  return readRefusal(answer);
}

/** Targets that answered well, so that a worker asks each of them once. */
const remembered = new LruCache<string, true>({ maxEntries: 64 });

export function wasAsked(target: S3Target): boolean {
  return remembered.get(idOf(target)) ?? false;
}

export function rememberAsked(target: S3Target): void {
  remembered.set(idOf(target), true);
}

/** A hash, so that no key lies about longer than the job that brought it. */
function idOf(target: S3Target): string {
  const { credentials, region, proxy } = target;
  const parts = [bucketUrl(target).href, region, proxy?.href, ...Object.values(credentials)];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
