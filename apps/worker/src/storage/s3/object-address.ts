import { isIP } from "node:net";
import { HiggsError } from "@higgs-worker/base";

/** Where a bucket is. */
export interface BucketPlace {
  /** Base URL without the bucket; a path is a prefix of requests. */
  readonly endpoint: URL;
  readonly bucket: string;
  /** Bucket in the path (true) or in the host name (false). */
  readonly usesPathStyle: boolean;
}

/** The bucket's URL. */
export function bucketUrl(place: BucketPlace): URL {
  return addressOf(place, null);
}

/** An object's URL; escapes every byte of the key that is not unreserved, as SigV4 requires. */
export function objectUrl(place: BucketPlace, key: string): URL {
  return addressOf(place, key);
}

/** Whether a bucket can be in the host name: not before an IP address, and with TLS only if a certificate covers it. */
export function canStandInHost(bucket: string, endpoint: URL): boolean {
  if (isIP(endpoint.hostname.replace(/^\[(.*)\]$/, "$1")) !== 0) return false;
  // No wildcard certificate covers two labels, so a name with dots only works without TLS.
  const name = endpoint.protocol === "https:" ? /^[a-z0-9][a-z0-9-]*[a-z0-9]$/ : /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])$/;
  if (bucket.length > 63 || !name.test(bucket)) return false;
  const host = `${bucket}.${endpoint.hostname}`;
  const address = `${endpoint.protocol}//${host}/`;
  return URL.canParse(address) && new URL(address).hostname === host;
}

function addressOf({ endpoint, bucket, usesPathStyle }: BucketPlace, key: string | null): URL {
  const base = endpoint.pathname.replace(/\/+$/, "").split("/").map(unescapeSegment).map(escapeSegment).join("/");
  const names = [...(usesPathStyle ? [bucket] : []), ...(key === null ? [] : key.split("/"))];
  const path = [base, ...names.map(escapeSegment)].join("/") || "/";
  const hostname = usesPathStyle ? endpoint.hostname : `${bucket}.${endpoint.hostname}`;
  const url = new URL(endpoint);
  url.hostname = hostname;
  url.pathname = path;
  // Both setters silently ignore invalid values, and the audio would go to another place.
  if (url.hostname !== hostname || url.pathname !== path) {
    throw new HiggsError(
      "STORAGE_NOT_CONFIGURED",
      "store the audio in S3",
      "bucket, key and endpoint do not form a URL",
    );
  }
  return url;
}

function escapeSegment(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** An unescaped segment of an endpoint's path; unchanged if its escapes are invalid. */
function unescapeSegment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
