/** A store with known hosts, so that a bucket's name before them can be recognized. */
interface KnownStore {
  readonly name: "aws" | "accelerate" | "runpod" | "other";
  /** The host without a bucket; a named group for the region, if present. */
  readonly host: RegExp;
  /** Region of every bucket, if not in the host. */
  readonly region?: string;
  /** Base path of the S3 API. */
  readonly path?: string;
}

const AWS_REGION = String.raw`(?<region>[a-z]{2,4}(?:-[a-z]+)+-\d+)`;

const KNOWN_STORES: readonly KnownStore[] = [
  { name: "accelerate", host: /^s3-accelerate(?:\.dualstack)?\.amazonaws\.com$/ },
  { name: "aws", host: /^s3-external-1\.amazonaws\.com$/, region: "us-east-1" },
  {
    name: "aws",
    host: new RegExp(String.raw`^s3(?:-fips)?(?:\.dualstack)?(?:[.-]${AWS_REGION})?\.amazonaws\.(?:com|com\.cn|eu)$`),
  },
  {
    name: "aws",
    host: new RegExp(String.raw`^bucket\.vpce-[a-z0-9-]+\.s3\.${AWS_REGION}\.vpce\.amazonaws\.com(?:\.cn)?$`),
  },
  { name: "runpod", host: /^s3api-(?<region>[a-z0-9-]+)\.runpod\.io$/ },
  { name: "other", host: /^[a-z0-9]+(?:\.(?:eu|fedramp))?\.r2\.cloudflarestorage\.com$/, region: "auto" },
  { name: "other", host: /^s3\.(?<region>[a-z]{2}-[a-z]+-\d{3})\.backblazeb2\.com$/ },
  { name: "other", host: /^(?<region>[a-z]{3}\d)\.digitaloceanspaces\.com$/ },
  { name: "other", host: /^s3(?:[.-](?<region>[a-z]{2}-[a-z]+-\d))?\.wasabisys\.com$/ },
  { name: "other", host: /^s3\.(?<region>[a-z]{2}-[a-z]{3})\.scw\.cloud$/ },
  { name: "other", host: /^s3\.(?<region>[a-z0-9-]+)\.(?:io\.|perf\.)?cloud\.ovh\.(?:net|us)$/ },
  { name: "other", host: /^(?<region>[a-z]{2}-[a-z]+-\d+)\.linodeobjects\.com$/ },
  { name: "other", host: /^(?<region>[a-z]{3}\d+)\.vultrobjects\.com$/ },
  { name: "other", host: /^(?<region>[a-z]{3}\d)\.your-objectstorage\.com$/ },
  { name: "other", host: /^sos-(?<region>[a-z]{2}-[a-z]+-\d)\.exo\.io$/ },
  { name: "other", host: /^storage\.googleapis\.com$/, region: "auto" },
  { name: "other", host: /^(?:fly\.storage\.tigris\.dev|t3\.storage\.dev)$/, region: "auto" },
  { name: "other", host: /^[a-z0-9]+(?:\.storage)?\.supabase\.co$/, path: "/storage/v1/s3" },
];

export interface KnownHost {
  readonly store: KnownStore["name"];
  /** The host without the bucket. */
  readonly host: string;
  /** The bucket before it; null when there is none. */
  readonly bucket: string | null;
  /** As the store writes it; null when it is not in the host. */
  readonly region: string | null;
  /** Base path of the store's S3 API, without a trailing slash. */
  readonly path: string;
}

/** The known store of a host, with or without a bucket before it; null for other hosts. */
export function recognizeHost(hostname: string): KnownHost | null {
  const labels = hostname.split(".");
  // The longest rest first: `s3.eu.r2…` could be bucket and account, but the shorter bucket is right.
  for (let at = 0; at < labels.length - 1; at++) {
    const host = labels.slice(at).join(".");
    for (const { name, host: pattern, region = null, path = "" } of KNOWN_STORES) {
      const match = pattern.exec(host);
      if (match === null) continue;
      const written = match.groups?.["region"] ?? region;
      return {
        store: name,
        host,
        bucket: at === 0 ? null : labels.slice(0, at).join("."),
        region: name === "runpod" ? (written?.toUpperCase() ?? null) : written,
        path,
      };
    }
  }
  return null;
}
