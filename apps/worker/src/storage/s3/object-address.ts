import { isIP } from "node:net";
import { HiggsError } from "@higgs-worker/base";

/** Where a bucket is. */
export interface BucketPlace {
  /** Base address without the bucket; a path stays before what is asked for. */
  readonly endpoint: URL;
  readonly bucket: string;
  /** Bucket in the path (true) or in the host name (false). */
  readonly usesPathStyle: boolean;
}

/** The address of the bucket itself. */
export function bucketUrl(place: BucketPlace): URL {
  return addressOf(place, null);
}

/** The address of an object; every byte of the key that is not unreserved is escaped, as SigV4 counts it. */
export function objectUrl(place: BucketPlace, key: string): URL {
  return addressOf(place, key);
}

/** Whether a bucket can stand in the host name: not before an IP address, and with TLS only where a certificate covers it. */
export function canStandInHost(bucket: string, endpoint: URL): boolean {
  if (isIP(endpoint.hostname.replace(/^\[(.*)\]$/, "$1")) !== 0) return false;
  // No wildcard certificate covers two labels, so a name with dots is a host name only without TLS.
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
  // Both setters leave out without a word what cannot stand there, and the audio would go to another place.
  if (url.hostname !== hostname || url.pathname !== path) {
    throw new HiggsError("STORAGE_NOT_CONFIGURED", "store the audio in S3", "bucket, key and endpoint make no address");
  }
  return url;
}

function escapeSegment(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** A segment of an endpoint's path as it was meant; one that is not escaped rightly is taken as it is. */
function unescapeSegment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
