import { createHash } from "node:crypto";
import { LruCache } from "@higgs-worker/base";
import { discardBody } from "../../network/http-request.ts";
import { readRefusal, type S3Refusal } from "./error-reason.ts";
import { bucketUrl } from "./object-address.ts";
import { sendSigned } from "./s3-client.ts";
import type { S3Target } from "./target.ts";

/**
 * Queries the bucket with a request without a body, so that a refusal of the key, clock, region or bucket arrives complete:
 * many stores close the connection of a large upload that they refuse, and the sender only sees that. Null when the store
 * accepts it. A refusal may only concern the query: a write-only key may not list.
 *
 * @throws {Error} as `sendSigned` does
 */
export async function askBucket(target: S3Target, signal: AbortSignal): Promise<S3Refusal | null> {
  const url = bucketUrl(target);
  const head = await sendSigned(target, { method: "HEAD", url, signal });
  await discardBody(head);
  if (head.status < 300) return null;
  // A HEAD response has no body, where the reason would be. Listing one key has it; some stores answer a location query
  // for buckets that do not exist.
  url.searchParams.set("list-type", "2");
  url.searchParams.set("max-keys", "1");
  const answer = await sendSigned(target, { method: "GET", url, signal });
  if (answer.status < 300) {
    await discardBody(answer);
    return { status: head.status, code: "", region: head.headers.get("x-amz-bucket-region") };
  }
  return readRefusal(answer);
}

/** Targets that accepted the query, so that a worker asks each of them once. */
const remembered = new LruCache<string, true>({ maxEntries: 64 });

export function wasAsked(target: S3Target): boolean {
  return remembered.get(idOf(target)) ?? false;
}

export function rememberAsked(target: S3Target): void {
  remembered.set(idOf(target), true);
}

/** A hash, so that no key stays in memory longer than its job. */
function idOf(target: S3Target): string {
  const { credentials, region, proxy } = target;
  const parts = [bucketUrl(target).href, region, proxy?.href, ...Object.values(credentials)];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
