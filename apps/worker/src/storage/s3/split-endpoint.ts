import { HiggsError } from "@higgs-worker/base";
import { recognizeHost } from "./known-stores.ts";
import { canStandInHost } from "./object-address.ts";

export interface SplitOptions {
  readonly bucket: string;
  /** Endpoints of RunPod and of jobs contain the bucket; those of the AWS_* variables do not and stay unchanged. */
  readonly mayHoldBucket: boolean;
  /** A single name in the path is the default bucket. */
  readonly isPathBucket: boolean;
  /** The user wants the bucket in the path. */
  readonly isPathForced: boolean;
  /** The endpoint's name in messages. */
  readonly name: string;
}

export interface SplitEndpoint {
  /** Without the bucket. */
  readonly endpoint: URL;
  /** The bucket was in the host, and the host must stay as given. */
  readonly isHostStyle: boolean;
}

/** The bucket in an endpoint: before the host of a known store, or as the only name of the path. */
export function bucketOfEndpoint(given: URL): string | null {
  const known = recognizeHost(given.hostname);
  const path = `/${pathNames(given).join("/")}`;
  const own = known !== null && path.startsWith(`${known.path}/`) ? path.slice(known.path.length) : path;
  const [, name = "", further] = own.split("/");
  return known?.bucket ?? (name === "" || further !== undefined || path === known?.path ? null : name);
}

/**
 * Removes the bucket from an endpoint if it is certain to be one: before the host of a known store, or equal to the bucket's
 * name. Everything else stays.
 *
 * @throws {HiggsError} STORAGE_NOT_CONFIGURED when the endpoint would put the audio in another place than configured
 */
export function splitEndpoint(given: URL, options: SplitOptions): SplitEndpoint {
  const endpoint = splitPath(given, options);
  const { bucket, mayHoldBucket, isPathForced, name } = options;
  const known = recognizeHost(given.hostname);
  if (known !== null) {
    if (known.bucket === null) return { endpoint, isHostStyle: false };
    if (!mayHoldBucket && (known.bucket !== bucket || isPathForced)) {
      throw unusable(`${name} contains a bucket name; without it the host is ${known.host}`);
    }
    endpoint.hostname = known.host;
    return { endpoint, isHostStyle: !mayHoldBucket };
  }
  if (!mayHoldBucket || isPathForced || !given.hostname.startsWith(`${bucket}.`))
    return { endpoint, isHostStyle: false };
  const bare = new URL(endpoint);
  bare.hostname = given.hostname.slice(bucket.length + 1);
  const isBucketHost = canStandInHost(bucket, bare) && `${bucket}.${bare.hostname}` === given.hostname;
  return isBucketHost ? { endpoint: bare, isHostStyle: true } : { endpoint, isHostStyle: false };
}

function splitPath(given: URL, { bucket, mayHoldBucket, isPathBucket, name }: SplitOptions): URL {
  const endpoint = new URL(given);
  const names = pathNames(given);
  const known = recognizeHost(given.hostname);
  if (`/${names.join("/")}` === known?.path) return endpoint;
  const endsWithBucket = names.at(-1) === bucket;
  const rest = endsWithBucket || (names.length === 1 && isPathBucket) ? names.slice(0, -1) : names;
  // The first name of a path is the bucket for a store without its own path.
  const isMisread = (rest.length > 0 && known?.path === "") || (endsWithBucket && !mayHoldBucket);
  if (isMisread) throw unusable(`${name} contains a path; without it the host is ${given.host}`);
  if (rest.length < names.length) endpoint.pathname = `/${rest.join("/")}`;
  return endpoint;
}

function pathNames(url: URL): string[] {
  return url.pathname.split("/").filter((segment) => segment !== "");
}

function unusable(reason: string): HiggsError {
  return new HiggsError("STORAGE_NOT_CONFIGURED", "deliver to S3", reason);
}
