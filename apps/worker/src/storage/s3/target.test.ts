import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { objectUrl } from "./object-address.ts";
import { knownBucket, resolveS3Target, type S3Wish } from "./target.ts";

const keys = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "s" };
const bucketKeys = { BUCKET_ACCESS_KEY_ID: "ba", BUCKET_SECRET_ACCESS_KEY: "bs" };
const none: S3Wish = { bucket: null, jobConfig: null };
const resolve = (env: Record<string, string>, wish: S3Wish = { ...none, bucket: "b-1" }) => {
  const target = resolveS3Target(loadConfig(env).config, wish);
  return `${target.endpoint.href} ${target.bucket} ${target.region} ${target.usesPathStyle ? "path" : "host"} ${target.credentials.accessKeyId}`;
};

describe("resolveS3Target()", () => {
  it.each([
    ["AWS", { ...keys }, "https://s3.us-east-1.amazonaws.com/ b-1 us-east-1 host a"],
    [
      "AWS with a region",
      { ...keys, AWS_DEFAULT_REGION: "eu-west-3" },
      "https://s3.eu-west-3.amazonaws.com/ b-1 eu-west-3 host a",
    ],
    ["MinIO", { ...keys, AWS_ENDPOINT_URL: "http://minio:9000" }, "http://minio:9000/ b-1 us-east-1 path a"],
    [
      "R2",
      { ...keys, AWS_ENDPOINT_URL: "https://x.r2.cloudflarestorage.com" },
      "https://x.r2.cloudflarestorage.com/ b-1 auto path a",
    ],
    [
      "B2",
      { ...keys, AWS_ENDPOINT_URL: "https://s3.us-west-004.backblazeb2.com" },
      "https://s3.us-west-004.backblazeb2.com/ b-1 us-west-004 path a",
    ],
    [
      "RunPod's volume",
      { ...keys, AWS_ENDPOINT_URL: "https://s3api-eu-ro-1.runpod.io" },
      "https://s3api-eu-ro-1.runpod.io/ b-1 EU-RO-1 path a",
    ],
    [
      "host style by choice",
      { ...keys, AWS_ENDPOINT_URL: "http://minio:9000", S3_FORCE_PATH_STYLE: "false" },
      "http://minio:9000/ b-1 us-east-1 host a",
    ],
    [
      "RunPod's variables",
      { ...bucketKeys, BUCKET_ENDPOINT_URL: "https://s3.eu-west-1.amazonaws.com" },
      "https://s3.eu-west-1.amazonaws.com/ b-1 eu-west-1 host ba",
    ],
    [
      "AWS keys before RunPod's",
      { ...keys, ...bucketKeys, BUCKET_ENDPOINT_URL: "https://elsewhere.example" },
      "https://s3.us-east-1.amazonaws.com/ b-1 us-east-1 host a",
    ],
  ])("%s", (_name, env, expected) => {
    expect(resolve(env)).toBe(expected);
  });

  it.each([
    ["https://my-bucket.s3.us-west-2.amazonaws.com", "https://s3.us-west-2.amazonaws.com/ my-bucket us-west-2 host ba"],
    ["https://my-bucket.nyc3.digitaloceanspaces.com", "https://nyc3.digitaloceanspaces.com/ my-bucket nyc3 path ba"],
    ["https://store.example/my-bucket", "https://store.example/ my-bucket us-east-1 path ba"],
    [
      "https://my-bucket.acct.r2.cloudflarestorage.com",
      "https://acct.r2.cloudflarestorage.com/ my-bucket auto path ba",
    ],
    [
      "https://acct.eu.r2.cloudflarestorage.com/my-bucket",
      "https://acct.eu.r2.cloudflarestorage.com/ my-bucket auto path ba",
    ],
    [
      "https://my-bucket.s3.us-west-004.backblazeb2.com",
      "https://s3.us-west-004.backblazeb2.com/ my-bucket us-west-004 path ba",
    ],
    ["https://my.bucket.s3.amazonaws.com", "https://s3.amazonaws.com/ my.bucket us-east-1 path ba"],
    [
      "https://ref.supabase.co/storage/v1/s3/my-bucket",
      "https://ref.supabase.co/storage/v1/s3 my-bucket us-east-1 path ba",
    ],
  ])("reads the bucket out of RunPod's endpoint %s", (url, expected) => {
    expect(resolve({ ...bucketKeys, BUCKET_ENDPOINT_URL: url }, none)).toBe(expected);
  });

  it.each([
    ["http://gw.s3.svc.cluster.local:9000", "mine", "http://gw.s3.svc.cluster.local:9000/mine/a.wav"],
    ["http://mine.minio.example", "mine", "http://mine.minio.example/a.wav"],
    ["http://mine.minio.example", "other", "http://mine.minio.example/other/a.wav"],
    ["https://gateway.example/s3", "mine", "https://gateway.example/s3/mine/a.wav"],
    ["https://gateway.example/mine", "mine", "https://gateway.example/mine/a.wav"],
    ["https://10.0.0.1", "10", "https://10.0.0.1/10/a.wav"],
  ])("BUCKET_ENDPOINT_URL=%s with S3_BUCKET=%s puts to %s", (url, bucket, expected) => {
    const env = { ...bucketKeys, BUCKET_ENDPOINT_URL: url, S3_BUCKET: bucket };
    expect(objectUrl(resolveS3Target(loadConfig(env).config, none), "a.wav").href).toBe(expected);
    const jobConfig = {
      accessId: "j",
      accessSecret: "s",
      bucketName: bucket,
      endpointUrl: url,
      objectPath: null,
      region: null,
    };
    expect(objectUrl(resolveS3Target(loadConfig({}).config, { bucket: null, jobConfig }), "a.wav").href).toBe(expected);
  });

  it("a job's own s3Config wins, keys, endpoint and bucket together", () => {
    const jobConfig = {
      accessId: "j",
      accessSecret: "js",
      bucketName: "job-bucket",
      endpointUrl: "https://job.example",
      objectPath: null,
      region: null,
    };
    expect(resolve({ ...keys, S3_BUCKET: "env-bucket" }, { bucket: null, jobConfig })).toBe(
      "https://job.example/ job-bucket us-east-1 path j",
    );
  });

  it.each([
    ["https://REF.supabase.co/storage/v1/s3", "https://ref.supabase.co/storage/v1/s3 b-1 us-east-1 path a"],
    ["https://gateway.example/a/b/", "https://gateway.example/a/b/ b-1 us-east-1 path a"],
    ["http://ns12.s3.domain.com", "http://ns12.s3.domain.com/ b-1 us-east-1 path a"],
    ["http://gw.s3.svc.cluster.local:9000", "http://gw.s3.svc.cluster.local:9000/ b-1 us-east-1 path a"],
    ["http://s3.minio.example.com", "http://s3.minio.example.com/ b-1 us-east-1 path a"],
    ["http://b-1.minio.example", "http://b-1.minio.example/ b-1 us-east-1 path a"],
  ])("leaves the AWS_ENDPOINT_URL_S3 %s as it is", (url, expected) => {
    expect(resolve({ ...keys, AWS_ENDPOINT_URL_S3: url })).toBe(expected);
  });

  it.each([
    ["https://b-1.acct.r2.cloudflarestorage.com", "https://b-1.acct.r2.cloudflarestorage.com/a.wav"],
    ["https://b-1.s3.eu-west-1.amazonaws.com", "https://b-1.s3.eu-west-1.amazonaws.com/a.wav"],
  ])("AWS_ENDPOINT_URL=%s with the bucket in it neither doubles nor loses the bucket", (url, expected) => {
    const target = resolveS3Target(loadConfig({ ...keys, AWS_ENDPOINT_URL: url }).config, { ...none, bucket: "b-1" });
    expect(objectUrl(target, "a.wav").href).toBe(expected);
  });

  it.each([
    ["https://other.acct.r2.cloudflarestorage.com", "contains a bucket name; without it the host is acct.r2"],
    [
      "https://acct.r2.cloudflarestorage.com/b-1",
      "contains a path; without it the host is acct.r2.cloudflarestorage.com",
    ],
    ["https://s3.us-west-2.amazonaws.com/folder", "contains a path"],
    ["http://minio:9000/b-1", "contains a path"],
    ["http://minio:9000/?x=1", "more than host and path"],
    ["http://user:s3cret@minio:9000/", "contains a user name or password"],
  ])("refuses AWS_ENDPOINT_URL=%s, with which the audio would lie elsewhere than told", (url, reason) => {
    const attempt = () => resolve({ ...keys, AWS_ENDPOINT_URL: url });
    expect(attempt).toThrow(
      expect.objectContaining({ code: "STORAGE_NOT_CONFIGURED", message: expect.stringContaining(reason) }),
    );
    expect(attempt).not.toThrow("s3cret");
  });

  it.each([
    [{ AWS_ACCESS_KEY_ID: "AKID\nX" }, "AWS_ACCESS_KEY_ID has a space, a line break"],
    [{ AWS_ACCESS_KEY_ID: "AK ID" }, "AWS_ACCESS_KEY_ID has a space"],
    [{ AWS_SECRET_ACCESS_KEY: "se\r\ncret" }, "AWS_SECRET_ACCESS_KEY has a line break"],
    [{ AWS_SESSION_TOKEN: "to\nken" }, "AWS_SESSION_TOKEN has a space, a line break"],
    [{ AWS_REGION: "eu west" }, "AWS_REGION is not a region name"],
    [{ S3_BUCKET: "a/b" }, "the bucket's name is not valid"],
    [{ S3_BUCKET: ".." }, "the bucket's name is not valid"],
  ])("%j can never work and is refused before the speech", (env, reason) => {
    const { config } = loadConfig({ ...keys, S3_BUCKET: "b-1", ...env });
    expect(() => resolveS3Target(config, none)).toThrow(
      expect.objectContaining({ code: "STORAGE_NOT_CONFIGURED", message: expect.stringContaining(reason) }),
    );
  });

  it.each([
    ["http://127.0.0.1:9000", "b-1", "path"],
    ["http://[::1]:9000", "b-1", "path"],
    ["https://minio.example", "my.bucket", "path"],
    ["http://minio.example", "my.bucket", "host"],
    ["http://minio.example", "Higgs-Prod", "path"],
    ["http://minio.example", "under_score", "path"],
    ["http://minio.example", "b-1", "host"],
  ])("S3_FORCE_PATH_STYLE=false at %s with the bucket %s gives the %s style", (url, bucket, style) => {
    const env = { ...keys, AWS_ENDPOINT_URL: url, S3_FORCE_PATH_STYLE: "false" };
    expect(resolve(env, { ...none, bucket })).toContain(` ${style} `);
  });

  it.each([
    ["https://s3.amazonaws.com", "us-east-1"],
    ["https://s3-us-west-2.amazonaws.com", "us-west-2"],
    ["https://s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1"],
    ["https://s3-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"],
    ["https://s3-fips.dualstack.us-east-2.amazonaws.com", "us-east-2"],
    ["https://s3-accelerate.amazonaws.com", "us-east-1"],
    ["https://s3-accelerate.dualstack.amazonaws.com", "us-east-1"],
    ["https://s3-external-1.amazonaws.com", "us-east-1"],
    ["https://s3.cn-north-1.amazonaws.com.cn", "cn-north-1"],
    ["https://bucket.vpce-1a2b3c4d-5e6f.s3.us-east-2.vpce.amazonaws.com", "us-east-2"],
    ["https://s3.eu-central-1.wasabisys.com", "eu-central-1"],
    ["https://fra1.digitaloceanspaces.com", "fra1"],
    ["https://acct.eu.r2.cloudflarestorage.com", "auto"],
    ["https://s3.us-east-1.example.com", "us-east-1"],
  ])("%s is in the region %s", (url, region) => {
    expect(resolve({ ...keys, AWS_ENDPOINT_URL: url })).toContain(` b-1 ${region} `);
    expect(resolve({ ...bucketKeys, BUCKET_ENDPOINT_URL: url, AWS_REGION: "xx-other-1" })).toContain(` b-1 ${region} `);
  });

  it("Transfer Acceleration has the bucket in the host, or is refused", () => {
    const env = { ...keys, AWS_ENDPOINT_URL: "https://s3-accelerate.amazonaws.com", AWS_REGION: "eu-west-1" };
    expect(resolve(env)).toBe("https://s3-accelerate.amazonaws.com/ b-1 eu-west-1 host a");
    expect(() => resolve(env, { ...none, bucket: "my.bucket" })).toThrow("in the host name");
  });

  it("a region of China has the domain of China", () => {
    expect(resolve({ ...keys, AWS_REGION: "cn-north-1" })).toBe(
      "https://s3.cn-north-1.amazonaws.com.cn/ b-1 cn-north-1 host a",
    );
  });

  it("the region comes from where the keys come from", () => {
    const job = {
      accessId: "j",
      accessSecret: "js",
      bucketName: "jb",
      endpointUrl: "https://job.example",
      objectPath: null,
    };
    const env = { ...keys, AWS_REGION: "worker-1", BUCKET_REGION: "bucket-1" };
    expect(resolve(env, { bucket: null, jobConfig: { ...job, region: null } })).toContain(" us-east-1 ");
    expect(resolve(env, { bucket: null, jobConfig: { ...job, region: "job-1" } })).toContain(" job-1 ");
    expect(resolve({ ...bucketKeys, BUCKET_ENDPOINT_URL: "https://x.example", BUCKET_REGION: "bucket-1" })).toContain(
      " bucket-1 ",
    );
  });

  it("a bucket that is not a host name is in the path", () => {
    expect(resolve(keys, { ...none, bucket: "my.bucket" })).toContain(" path ");
  });

  it.each([
    [{}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY not set"],
    [{ AWS_ACCESS_KEY_ID: "a" }, "AWS_SECRET_ACCESS_KEY not set"],
    [{ BUCKET_ENDPOINT_URL: "https://x.example", BUCKET_ACCESS_KEY_ID: "b" }, "BUCKET_SECRET_ACCESS_KEY not set"],
  ])("%j says what is missing", (env, expected) => {
    expect(() => resolve(env)).toThrow(
      expect.objectContaining({ code: "STORAGE_NOT_CONFIGURED", message: `Cannot deliver to S3: ${expected}` }),
    );
  });

  it("no bucket is an error too", () => {
    expect(() => resolve(keys, none)).toThrow("no bucket is known");
  });
});

it.each([
  [{}, none, null],
  [{ S3_BUCKET: "env" }, none, "env"],
  [{ S3_BUCKET: "env" }, { ...none, bucket: "job" }, "job"],
  [{ BUCKET_ENDPOINT_URL: "https://mine.s3.eu-west-1.amazonaws.com" }, none, "mine"],
])("with %j the bucket is known or not", (env, wish, bucket) => {
  expect(knownBucket(loadConfig(env as Record<string, string>).config, wish)).toBe(bucket);
});
