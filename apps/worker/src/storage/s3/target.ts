import { HiggsError } from "@higgs-worker/base";
import type { Config } from "../../config/settings.ts";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

/** Everything needed to reach one bucket. */
export interface S3Target {
  /** Base address without the bucket. */
  readonly endpoint: URL;
  readonly bucket: string;
  readonly region: string;
  /** Bucket in the path (true) or in the host name (false). */
  readonly usesPathStyle: boolean;
  readonly credentials: S3Credentials;
  /** Seconds that a presigned address lives; 0 for none. */
  readonly urlExpiresSeconds: number;
}

/** `s3Config` of a RunPod job (spec platform §4.1). */
export interface JobS3Config {
  readonly accessId: string;
  readonly accessSecret: string;
  readonly bucketName: string;
  readonly endpointUrl: string;
  readonly objectPath: string | null;
}

export interface S3Wish {
  /** The job's `s3_bucket`. */
  readonly bucket: string | null;
  readonly jobConfig: JobS3Config | null;
}

/** The bucket that a job would go to, or null when none is known. */
export function knownBucket(config: Config, wish: S3Wish): string | null {
  return wish.bucket ?? wish.jobConfig?.bucketName ?? config.s3Bucket ?? bucketOfSource(sourceOf(config, wish));
}

/** Throws STORAGE_NOT_CONFIGURED that names what is missing of the credentials that a job would use. */
export function checkS3Credentials(config: Config, wish: S3Wish): void {
  completeSource(config, wish);
}

/**
 * The target of a job: its own `s3Config`, else the AWS_* variables, else RunPod's BUCKET_* variables. Credentials and
 * endpoint always come from the same one of the three, so that a key is never sent to a store that it is not for.
 *
 * @throws HiggsError STORAGE_NOT_CONFIGURED that names what is missing.
 */
export function resolveS3Target(config: Config, wish: S3Wish): S3Target {
  const source = completeSource(config, wish);
  const bucket = knownBucket(config, wish);
  if (bucket === null) {
    throw new HiggsError(
      "STORAGE_NOT_CONFIGURED",
      "deliver to S3",
      "no bucket is known (neither s3_bucket nor S3_BUCKET)",
    );
  }
  const { endpoint, region } = placeOf(config, source);
  const isAws = endpoint.hostname.endsWith(".amazonaws.com");
  return {
    endpoint,
    bucket,
    region,
    // A bucket's name that is no host name, or has dots (which no wildcard certificate covers), stands in the path.
    usesPathStyle: config.s3ForcePathStyle ?? (!isAws || !/^[a-z0-9][a-z0-9-]+[a-z0-9]$/.test(bucket)),
    credentials: source.credentials,
    // RunPod's volume store takes no presigned addresses (spec platform §9.5).
    urlExpiresSeconds: isRunpodVolumeStore(endpoint) ? 0 : config.s3UrlExpiresSeconds,
  };
}

function completeSource(config: Config, wish: S3Wish): Source {
  const source = sourceOf(config, wish);
  if (source.missing.length === 0) return source;
  throw new HiggsError("STORAGE_NOT_CONFIGURED", "deliver to S3", `${source.missing.join(" and ")} not set`);
}

interface Source {
  readonly credentials: S3Credentials;
  readonly missing: readonly string[];
  readonly endpointUrl: string | null;
}

function sourceOf(config: Config, { jobConfig }: S3Wish): Source {
  if (jobConfig !== null) {
    return {
      credentials: { accessKeyId: jobConfig.accessId, secretAccessKey: jobConfig.accessSecret, sessionToken: null },
      missing: [],
      endpointUrl: jobConfig.endpointUrl,
    };
  }
  const runpodUrl = config.bucketEndpointUrl;
  if (config.awsAccessKeyId === null && runpodUrl !== null) {
    return {
      credentials: {
        accessKeyId: config.bucketAccessKeyId ?? "",
        secretAccessKey: config.bucketSecretAccessKey ?? "",
        sessionToken: null,
      },
      missing: namesOfMissing({
        BUCKET_ACCESS_KEY_ID: config.bucketAccessKeyId,
        BUCKET_SECRET_ACCESS_KEY: config.bucketSecretAccessKey,
      }),
      endpointUrl: runpodUrl,
    };
  }
  return {
    credentials: {
      accessKeyId: config.awsAccessKeyId ?? "",
      secretAccessKey: config.awsSecretAccessKey ?? "",
      sessionToken: config.awsSessionToken,
    },
    missing: namesOfMissing({
      AWS_ACCESS_KEY_ID: config.awsAccessKeyId,
      AWS_SECRET_ACCESS_KEY: config.awsSecretAccessKey,
    }),
    endpointUrl: config.awsEndpointUrl,
  };
}

function namesOfMissing(values: Readonly<Record<string, string | null>>): string[] {
  return Object.keys(values).filter((name) => values[name] === null);
}

/** The bucket that RunPod's examples write into the endpoint: as first label of the host name, or as path. */
const BUCKET_HOST = /^(?<bucket>[a-z0-9][a-z0-9.-]*?)\.(?<store>s3[.-].*|[a-z0-9-]+\.digitaloceanspaces\.com)$/;

function bucketOfSource(source: Source): string | null {
  return source.endpointUrl === null ? null : splitEndpoint(source.endpointUrl).bucket;
}

function splitEndpoint(endpointUrl: string): { readonly endpoint: URL; readonly bucket: string | null } {
  const endpoint = new URL(endpointUrl);
  const fromHost = BUCKET_HOST.exec(endpoint.hostname)?.groups;
  const fromPath = endpoint.pathname.split("/").find((segment) => segment !== "") ?? null;
  if (fromHost?.["store"] !== undefined) endpoint.hostname = fromHost["store"];
  endpoint.pathname = "/";
  endpoint.search = "";
  endpoint.hash = "";
  return { endpoint, bucket: fromHost?.["bucket"] ?? fromPath };
}

function placeOf(config: Config, source: Source): { readonly endpoint: URL; readonly region: string } {
  if (source.endpointUrl === null) {
    const region = config.awsRegion ?? "us-east-1";
    return { endpoint: new URL(`https://s3.${region}.amazonaws.com/`), region };
  }
  const { endpoint } = splitEndpoint(source.endpointUrl);
  return { endpoint, region: config.awsRegion ?? regionOfHost(endpoint.hostname) ?? "us-east-1" };
}

/** The region that well-known stores write into their host names. */
function regionOfHost(host: string): string | null {
  if (host.endsWith(".r2.cloudflarestorage.com")) return "auto";
  const runpod = /^s3api-([a-z0-9-]+)\.runpod\.io$/.exec(host)?.[1];
  if (runpod !== undefined) return runpod.toUpperCase();
  return (
    /^s3[.-](?:dualstack\.)?([a-z0-9-]+)\.(?:amazonaws|backblazeb2|wasabisys|scw|ovh)/.exec(host)?.[1] ??
    /^([a-z0-9-]+)\.digitaloceanspaces\.com$/.exec(host)?.[1] ??
    null
  );
}

function isRunpodVolumeStore(endpoint: URL): boolean {
  return /^s3api-.*\.runpod\.io$/.test(endpoint.hostname);
}
