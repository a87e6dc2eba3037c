import { createHash } from "node:crypto";
import { discardBody, type HttpAnswer } from "../../network/http-request.ts";
import type { S3Client } from "./s3-client.ts";

interface SentObject {
  readonly key: string;
  readonly byteCount: number;
  /** Lower-case hex. */
  readonly sha256: string;
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
 * Whether an answer's ETag says that the store has other bytes than those with this MD5. Some stores do not check the hashes
 * they get, but their ETag is the MD5 of what they have. An ETag may also only look like an MD5.
 */
export function saysOtherBytes(answer: HttpAnswer, md5: Buffer | null): boolean {
  const etag = md5OfAnswer(answer);
  return etag !== null && md5 !== null && etag !== md5.toString("hex");
}

/**
 * Reads an object back: whether it is there with exactly these bytes.
 *
 * @throws {Error} as `S3Client.send` does
 */
export async function hasBytes(client: S3Client, sent: SentObject, signal: AbortSignal): Promise<boolean> {
  const stored = await client.send({ method: "GET", key: sent.key, signal });
  if (stored.status !== 200) {
    if (stored.refusal === null) await discardBody(stored);
    return false;
  }
  const hash = createHash("sha256");
  let byteCount = 0;
  for await (const part of stored.body ?? []) {
    byteCount += part.byteLength;
    if (byteCount > sent.byteCount) return false;
    hash.update(part);
  }
  return hash.digest("hex") === sent.sha256;
}

/** The ETag when S3 defines it as the MD5: one part, not encrypted with a customer's or KMS key. */
function md5OfAnswer({ headers }: HttpAnswer): string | null {
  const isEncrypted =
    (headers.get("x-amz-server-side-encryption") ?? "AES256") !== "AES256" ||
    headers.get("x-amz-server-side-encryption-customer-algorithm") !== null;
  const etag = /^"?([0-9a-f]{32})"?$/i.exec(headers.get("etag") ?? "")?.[1] ?? null;
  return isEncrypted ? null : (etag?.toLowerCase() ?? null);
}
