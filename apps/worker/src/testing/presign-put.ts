import { AwsV4Signer } from "aws4fetch";
import { objectUrl } from "../storage/s3/object-address.ts";
import type { KnownKey } from "./sigv4.ts";

interface Bucket {
  readonly url: string;
  readonly bucket: string;
  readonly key: KnownKey;
}

/** An address that whoever owns the bucket signs for one PUT. */
export async function presignPut(
  { url: endpoint, bucket, key }: Bucket,
  name: string,
  { expires = 600, headers = {} }: { readonly expires?: number; readonly headers?: Record<string, string> } = {},
): Promise<string> {
  const url = objectUrl({ endpoint: new URL(endpoint), bucket, usesPathStyle: true }, name);
  url.searchParams.set("X-Amz-Expires", String(expires));
  const how = { service: "s3", method: "PUT", signQuery: true, allHeaders: true };
  return (await new AwsV4Signer({ ...key, ...how, url: url.href, headers }).sign()).url.href;
}
