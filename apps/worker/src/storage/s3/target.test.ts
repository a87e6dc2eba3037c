import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
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
  ])("reads the bucket out of RunPod's endpoint %s", (url, expected) => {
    expect(resolve({ ...bucketKeys, BUCKET_ENDPOINT_URL: url }, none)).toBe(expected);
  });

  it("a job's own s3Config wins, keys, endpoint and bucket together", () => {
    const jobConfig = {
      accessId: "j",
      accessSecret: "js",
      bucketName: "job-bucket",
      endpointUrl: "https://job.example",
      objectPath: null,
    };
    expect(resolve({ ...keys, S3_BUCKET: "env-bucket" }, { bucket: null, jobConfig })).toBe(
      "https://job.example/ job-bucket us-east-1 path j",
    );
  });

  it("a bucket that is no host name stands in the path", () => {
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
