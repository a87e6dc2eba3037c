import { LruCache } from "@higgs-worker/base";
import { discardBody } from "../../network/http-request.ts";
import type { S3Refusal } from "./error-reason.ts";
import type { S3Client } from "./s3-client.ts";
import { idOfTarget, type S3Target } from "./target.ts";

/**
 * Queries the bucket with a request without a body, so that a refusal of the key, clock, region or bucket arrives complete:
 * many stores close the connection of a large upload that they refuse, and the sender only sees that. Null when the store
 * accepts it. A refusal may only concern the query: a write-only key may not list.
 *
 * @throws {Error} as `S3Client.send` does
 */
export async function askBucket(client: S3Client, signal: AbortSignal): Promise<S3Refusal | null> {
  const head = await client.send({ method: "HEAD", key: null, signal });
  if (head.refusal === null) {
    await discardBody(head);
    return null;
  }
  // A HEAD response has no body, where the reason would be. Listing one key has it; some stores answer a location query
  // for buckets that do not exist.
  const answer = await client.send({
    method: "GET",
    key: null,
    query: { "list-type": "2", "max-keys": "1" },
    signal,
  });
  if (answer.refusal !== null) return answer.refusal;
  await discardBody(answer);
  return { status: head.status, code: "", region: head.headers.get("x-amz-bucket-region") };
}

/** Targets that accepted the query, so that a worker asks each of them once. */
const remembered = new LruCache<string, true>({ maxEntries: 64 });

export function wasAsked(target: S3Target): boolean {
  return remembered.get(idOfTarget(target)) ?? false;
}

export function rememberAsked(target: S3Target): void {
  remembered.set(idOfTarget(target), true);
}
