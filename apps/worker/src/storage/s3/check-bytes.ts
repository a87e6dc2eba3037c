import { createHash } from "node:crypto";
import { discardBody, type HttpAnswer } from "../../network/http-request.ts";
import { objectUrl } from "./object-address.ts";
import { sendSigned } from "./s3-client.ts";
import type { S3Target } from "./target.ts";

interface SentObject {
  readonly key: string;
  readonly byteCount: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Null when this machine has no MD5. */
  readonly md5: Buffer | null;
}

/** The MD5 of some bytes, or null when it cannot be computed (OpenSSL in FIPS mode). */
export function md5Of(bytes: Uint8Array): Buffer | null {
  try {
    return createHash("md5").update(bytes).digest();
  } catch {
    return null;
  }
}

/**
 * Whether a store keeps other bytes than those that were sent. Some stores do not check the hashes they get, but their ETag
 * is the MD5 of what they have. An ETag that only looks like an MD5 is detected by reading the object.
 *
 * @throws {Error} as `sendSigned` does
 */
export async function keepsOtherBytes(
  target: S3Target,
  answer: HttpAnswer,
  sent: SentObject,
  signal: AbortSignal,
): Promise<boolean> {
  const etag = md5OfAnswer(answer);
  if (etag === null || sent.md5 === null || etag === sent.md5.toString("hex")) return false;
  const stored = await sendSigned(target, { method: "GET", url: objectUrl(target, sent.key), signal });
  if (stored.status !== 200) {
    await discardBody(stored);
    return true;
  }
  const hash = createHash("sha256");
  let byteCount = 0;
  for await (const part of stored.body ?? []) {
    byteCount += part.byteLength;
    if (byteCount > sent.byteCount) return true;
    hash.update(part);
  }
  return hash.digest("hex") !== sent.sha256;
}

/** The ETag when S3 defines it as the MD5: one part, not encrypted with a customer's or KMS key. */
function md5OfAnswer({ headers }: HttpAnswer): string | null {
  const isEncrypted =
    (headers.get("x-amz-server-side-encryption") ?? "AES256") !== "AES256" ||
    headers.get("x-amz-server-side-encryption-customer-algorithm") !== null;
  const etag = /^"?([0-9a-f]{32})"?$/i.exec(headers.get("etag") ?? "")?.[1] ?? null;
  return isEncrypted ? null : (etag?.toLowerCase() ?? null);
}
