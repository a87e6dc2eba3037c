import { sendHttp, type HttpAnswer } from "../../network/http-request.ts";
import { objectUrl, type BucketPlace } from "./object-address.ts";
import type { S3Target } from "./target.ts";

export interface SignedRequest {
  readonly method: "GET" | "HEAD" | "PUT";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** SHA-256 of the body, lower-case hex. */
  readonly sha256?: string;
  readonly signal?: AbortSignal | undefined;
}

const SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * One request, signed with SigV4 over every header and the payload's hash.
 *
 * @throws {Error} as `sendHttp` does
 */
export async function sendSigned(target: S3Target, request: SignedRequest): Promise<HttpAnswer> {
  const { method, url, headers, body, sha256 = SHA256_OF_NOTHING, signal } = request;
  const { AwsV4Signer } = await import("aws4fetch");
  const signer = new AwsV4Signer({
    ...signingKey(target),
    method,
    url: url.href,
    headers: { ...headers, "X-Amz-Content-Sha256": sha256 },
    allHeaders: true,
  });
  const signed = await signer.sign();
  const { proxy } = target;
  return sendHttp({ method, url, headers: signed.headers, body, proxy, redirect: "manual", signal });
}

/** A URL that anyone can fetch for `target.urlExpiresSeconds`. */
export async function presign(target: S3Target, place: BucketPlace, key: string): Promise<string> {
  const { AwsV4Signer } = await import("aws4fetch");
  const url = objectUrl(place, key);
  url.searchParams.set("X-Amz-Expires", String(target.urlExpiresSeconds));
  const signer = new AwsV4Signer({ ...signingKey(target), method: "GET", url: url.href, signQuery: true });
  return (await signer.sign()).url.href;
}

function signingKey({ credentials, region }: S3Target) {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return { accessKeyId, secretAccessKey, ...(sessionToken !== null && { sessionToken }), service: "s3", region };
}
