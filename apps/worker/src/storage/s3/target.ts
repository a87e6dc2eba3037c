import { createHash } from "node:crypto";
import { HiggsError } from "@higgs-worker/base";
import type { Config } from "../../config/settings.ts";
import { proxyFor } from "../../network/proxy.ts";
import { recognizeHost } from "./known-stores.ts";
import { bucketUrl, canStandInHost, type BucketPlace } from "./object-address.ts";
import { bucketOfEndpoint, splitEndpoint } from "./split-endpoint.ts";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

/** Everything needed to reach one bucket. */
export interface S3Target extends BucketPlace {
  readonly region: string;
  readonly credentials: S3Credentials;
  /** Seconds that a presigned URL is valid; 0 for none. */
  readonly urlExpiresSeconds: number;
  /** Where clients reach the store, for presigned URLs; the endpoint by default. */
  readonly publicPlace: BucketPlace;
  /** Proxy for the bucket; null for a direct connection. */
  readonly proxy: URL | null;
  /** Time limit for one upload, including retries: of a whole object, or of a part. */
  readonly timeoutMs: number;
  readonly upload: UploadSettings;
}

/** How objects are uploaded. */
export interface UploadSettings {
  /** Size of all parts but the last; larger objects are uploaded in parts. */
  readonly partBytes: number;
  readonly cacheControl: string | null;
  readonly contentDisposition: "inline" | "attachment" | "none";
  /** Whether facts about the job are kept with the object. */
  readonly keepsMetadata: boolean;
  readonly encryption: "none" | "aes256" | "kms";
  readonly kmsKeyId: string | null;
  /** Never replace an object. */
  readonly isNewOnly: boolean;
}

/** `s3Config` of a RunPod job (spec platform §4.1). */
export interface JobS3Config {
  readonly accessId: string;
  readonly accessSecret: string;
  readonly bucketName: string;
  readonly endpointUrl: string;
  readonly objectPath: string | null;
  readonly region: string | null;
}

export interface S3Wish {
  /** The job's `s3_bucket`. */
  readonly bucket: string | null;
  readonly jobConfig: JobS3Config | null;
}

/** A job's bucket, or null when none is known. */
export function knownBucket(config: Config, wish: S3Wish): string | null {
  const source = sourceOf(config, wish);
  return wish.bucket ?? wish.jobConfig?.bucketName ?? config.s3Bucket ?? bucketOfSource(config, source);
}

/** @throws {HiggsError} STORAGE_NOT_CONFIGURED when a job's credentials are incomplete or invalid; names them */
export function checkS3Credentials(config: Config, wish: S3Wish): void {
  completeSource(config, wish);
}

/**
 * The target of a job: its own `s3Config`, else the AWS_* variables, else RunPod's BUCKET_* variables. Credentials, endpoint
 * and region always come from the same source, so that a key is never sent to the wrong store.
 *
 * @throws {HiggsError} STORAGE_NOT_CONFIGURED when something is missing or invalid; names it
 */
export function resolveS3Target(config: Config, wish: S3Wish): S3Target {
  const source = completeSource(config, wish);
  const bucket = knownBucket(config, wish);
  if (bucket === null) throw unusable("no bucket is known (neither s3_bucket nor S3_BUCKET)");
  checkBucket(bucket);
  const given = source.endpointUrl === null ? null : parseEndpoint(source.endpointUrl, source.names.endpoint);
  const region = source.region ?? (given && recognizeHost(given.hostname)?.region) ?? "us-east-1";
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(region)) {
    throw unusable(`${source.names.region} is not a region name (allowed letters, digits, dots and dashes)`);
  }
  const place = placeOf(config, source, given ?? awsEndpoint(region), bucket);
  const isRunpodVolume = recognizeHost(place.endpoint.hostname)?.store === "runpod";
  return {
    ...place,
    region,
    credentials: source.credentials,
    // RunPod's volume store does not support presigned URLs (spec platform §9.5).
    urlExpiresSeconds: isRunpodVolume ? 0 : config.s3UrlExpiresSeconds,
    publicPlace: publicPlaceOf(config, source, place),
    proxy: proxyFor(bucketUrl(place), config),
    timeoutMs: config.s3TimeoutSeconds * 1000,
    upload: {
      partBytes: config.s3PartMib * 1024 * 1024,
      cacheControl: config.s3CacheControl,
      contentDisposition: config.s3ContentDisposition,
      keepsMetadata: config.s3Metadata ?? !isRunpodVolume,
      encryption: config.s3Encryption,
      kmsKeyId: config.s3KmsKeyId,
      isNewOnly: config.s3IfNoneMatch === true,
    },
  };
}

function completeSource(config: Config, wish: S3Wish): Source {
  const source = sourceOf(config, wish);
  if (source.missing.length > 0) throw unusable(`${source.missing.join(" and ")} not set`);
  checkCredentials(source);
  return source;
}

/** Names a target. A hash, so that no key stays in memory longer than its job. */
export function idOfTarget(target: S3Target): string {
  const { credentials, region, proxy } = target;
  const parts = [bucketUrl(target).href, region, proxy?.href, ...Object.values(credentials)];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

type SourceKind = "job" | "runpod" | "aws";

/** Names of a source's parts in messages. */
const NAMES = {
  job: {
    key: "accessId",
    secret: "accessSecret",
    token: "",
    endpoint: "endpointUrl",
    region: "the region of s3Config",
  },
  runpod: {
    key: "BUCKET_ACCESS_KEY_ID",
    secret: "BUCKET_SECRET_ACCESS_KEY",
    token: "",
    endpoint: "BUCKET_ENDPOINT_URL",
    region: "BUCKET_REGION",
  },
  aws: {
    key: "AWS_ACCESS_KEY_ID",
    secret: "AWS_SECRET_ACCESS_KEY",
    token: "AWS_SESSION_TOKEN",
    endpoint: "AWS_ENDPOINT_URL",
    region: "AWS_REGION",
  },
} as const;

interface Source {
  readonly kind: SourceKind;
  readonly names: (typeof NAMES)[SourceKind];
  readonly credentials: S3Credentials;
  readonly missing: readonly string[];
  readonly endpointUrl: string | null;
  /** As configured; null derives it from the endpoint's host. */
  readonly region: string | null;
}

function sourceOf(config: Config, { jobConfig }: S3Wish): Source {
  if (jobConfig !== null) {
    const { accessId, accessSecret, endpointUrl, region } = jobConfig;
    return makeSource("job", [accessId, accessSecret, null], endpointUrl, region);
  }
  if (config.awsAccessKeyId === null && config.bucketEndpointUrl !== null) {
    const { bucketAccessKeyId, bucketSecretAccessKey, bucketEndpointUrl, bucketRegion } = config;
    return makeSource("runpod", [bucketAccessKeyId, bucketSecretAccessKey, null], bucketEndpointUrl, bucketRegion);
  }
  const { awsAccessKeyId, awsSecretAccessKey, awsSessionToken, awsEndpointUrl, awsRegion } = config;
  return makeSource("aws", [awsAccessKeyId, awsSecretAccessKey, awsSessionToken], awsEndpointUrl, awsRegion);
}

function makeSource(
  kind: SourceKind,
  [accessKeyId, secretAccessKey, sessionToken]: readonly [string | null, string | null, string | null],
  endpointUrl: string | null,
  region: string | null,
): Source {
  const names = NAMES[kind];
  return {
    kind,
    names,
    credentials: { accessKeyId: accessKeyId ?? "", secretAccessKey: secretAccessKey ?? "", sessionToken },
    missing: [...(accessKeyId === null ? [names.key] : []), ...(secretAccessKey === null ? [names.secret] : [])],
    endpointUrl,
    region,
  };
}

/** RunPod's examples write the bucket into the endpoint; an AWS endpoint has none. */
function bucketOfSource({ s3Bucket }: Config, { kind, endpointUrl }: Source): string | null {
  if (kind === "aws" || s3Bucket !== null || endpointUrl === null || !URL.canParse(endpointUrl)) return null;
  return bucketOfEndpoint(new URL(endpointUrl));
}

/** Characters that are invalid in a header would fail every request; report them in advance. */
function checkCredentials({ credentials, names }: Source): void {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const isWord = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);
  if (!isWord(accessKeyId)) throw unusable(`${names.key} has a space, a line break or another invalid character`);
  if (/\p{Cc}/u.test(secretAccessKey)) throw unusable(`${names.secret} has a line break or another control character`);
  if (sessionToken !== null && !isWord(sessionToken)) {
    throw unusable(`${names.token} has a space, a line break or another invalid character`);
  }
}

function checkBucket(bucket: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket)) return;
  throw unusable("the bucket's name is not valid (limit 2 … 255 letters, digits, dots, dashes and underscores)");
}

function parseEndpoint(endpointUrl: string, name: string): URL {
  const url = URL.canParse(endpointUrl) ? new URL(endpointUrl) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw unusable(`${name} is not an http:// or https:// address`);
  if (url.username !== "" || url.password !== "") {
    throw unusable(`${name} contains a user name or password; use the variables for keys`);
  }
  if (url.search !== "" || url.hash !== "") throw unusable(`${name} contains more than host and path (a ? or # part)`);
  return url;
}

function awsEndpoint(region: string): URL {
  return new URL(`https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}/`);
}

function placeOf(config: Config, source: Source, given: URL, bucket: string): BucketPlace {
  const { endpoint, isHostStyle } = splitEndpoint(given, {
    bucket,
    mayHoldBucket: source.kind !== "aws",
    isPathBucket: source.kind === "runpod" && config.s3Bucket === null,
    isPathForced: config.s3ForcePathStyle === true,
    name: source.names.endpoint,
  });
  const store = recognizeHost(endpoint.hostname)?.store;
  const isPossible = canStandInHost(bucket, endpoint);
  if (store === "accelerate" && (!isPossible || config.s3ForcePathStyle === true)) {
    throw unusable("S3 Transfer Acceleration needs the bucket in the host name, where this one is not valid");
  }
  const isWanted = store === "accelerate" || isHostStyle || !(config.s3ForcePathStyle ?? store !== "aws");
  return { endpoint, bucket, usesPathStyle: !(isPossible && isWanted) };
}

/** S3_PUBLIC_URL only applies to the worker's own store. */
function publicPlaceOf(config: Config, source: Source, place: BucketPlace): BucketPlace {
  if (config.s3PublicUrl === null || source.kind === "job") return place;
  const endpoint = parseEndpoint(config.s3PublicUrl, "S3_PUBLIC_URL");
  return { ...place, endpoint, usesPathStyle: place.usesPathStyle || !canStandInHost(place.bucket, endpoint) };
}

function unusable(reason: string): HiggsError {
  return new HiggsError("STORAGE_NOT_CONFIGURED", "deliver to S3", reason);
}
