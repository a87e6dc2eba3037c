import type { Config } from "../../config/settings.ts";
import { describeNetworkFailure } from "../../network/network-failure.ts";
import { askBucket } from "./ask-bucket.ts";
import { holdsForEveryRequest, refusalReason } from "./error-reason.ts";
import { S3Client } from "./s3-client.ts";
import { knownBucket, resolveS3Target } from "./target.ts";

/**
 * Asks the store of jobs that do not bring one whether it is there and takes the key; costs nothing and writes nothing. Undefined
 * when no store is set up, null when all is well, else what is wrong.
 *
 * @throws {HiggsError} STORAGE_NOT_CONFIGURED when only a part of the store is set up
 */
export async function probeStore(config: Config, signal: AbortSignal): Promise<string | null | undefined> {
  const wish = { bucket: null, jobConfig: null };
  if (knownBucket(config, wish) === null) return undefined;
  const target = resolveS3Target(config, wish);
  try {
    const refusal = await askBucket(new S3Client(target), signal);
    // A key that may only write is refused the question, and is as good as any.
    return refusal === null || !holdsForEveryRequest(refusal) ? null : refusalReason(refusal, 1);
  } catch (error) {
    return describeNetworkFailure(error).reason;
  }
}
