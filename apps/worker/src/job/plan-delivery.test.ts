import { describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { parseJobInput } from "./parse-input.ts";
import { planDelivery, type DeliveryContext } from "./plan-delivery.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "s" };
const JOB_S3 = { accessId: "j", accessSecret: "js", bucketName: "jb", endpointUrl: "https://job.example" };

function plan(
  fields: Record<string, unknown>,
  env: Record<string, string> = {},
  context: Partial<DeliveryContext> = {},
) {
  const { config } = loadConfig(env);
  return planDelivery(
    parseJobInput({ transcript: "Hello.", ...fields }, { ...config, maxTranscriptChars: 1_000_000 }),
    {
      jobId: "job-1",
      s3Config: null,
      config,
      seed: 7,

      ...context,
    },
  );
}

describe("planDelivery()", () => {
  it.each([
    ["nothing known", {}, {}, {}, { kind: "base64" }],
    ["a bucket in the environment", {}, { ...KEYS, S3_BUCKET: "b-1" }, {}, { kind: "s3" }],
    ["a bucket in the job", { s3_bucket: "b-1", s3_key: "x/y.wav" }, KEYS, {}, { kind: "s3", key: "x/y.wav" }],
    ["a store in the job", {}, {}, { s3Config: JOB_S3 }, { kind: "s3" }],
    [
      "base64 although a bucket is known",
      { delivery: "base64" },
      { ...KEYS, S3_BUCKET: "b-1" },
      {},
      { kind: "base64" },
    ],
    ["a file", { delivery: "file", s3_key: "a.wav" }, {}, {}, { kind: "file", key: "a.wav" }],
    [
      "the key template",
      {},
      { ...KEYS, S3_BUCKET: "b-1", S3_KEY_TEMPLATE: "{seed}/{job_id}.{ext}" },
      {},
      { key: "7/job-1.wav" },
    ],
    ["the job's objectPath", {}, {}, { s3Config: { ...JOB_S3, objectPath: "/folder/" } }, { key: "folder/job-1.wav" }],
    [
      "an address in the job",
      { put_url: "https://example.com/a" },
      { ...KEYS, S3_BUCKET: "b-1" },
      {},
      { kind: "put_url" },
    ],
    ["an empty s3Config", {}, {}, { s3Config: { accessId: "", bucketName: "" } }, { kind: "base64" }],
  ])("%s", (_name, fields, env, context, expected) => {
    expect(plan(fields, env, context)).toMatchObject(expected);
  });

  it.each([
    ["a bucket without credentials", { s3_bucket: "b-1" }, {}, {}, "STORAGE_NOT_CONFIGURED", "AWS_ACCESS_KEY_ID"],
    ["a key without a bucket", { s3_key: "a.wav" }, KEYS, {}, "STORAGE_NOT_CONFIGURED", "no bucket is known"],
    ["S3 without anything", { delivery: "s3" }, {}, {}, "STORAGE_NOT_CONFIGURED", "not set"],
    ["put_url without one", { delivery: "put_url" }, {}, {}, "INVALID_INPUT", "put_url is missing"],
    [
      "put_url with another delivery",
      { delivery: "s3", put_url: "https://example.com/a" },
      {},
      {},
      "INVALID_INPUT",
      "delivery is s3",
    ],
    [
      "put_url with a key",
      { s3_key: "a", put_url: "https://example.com/a" },
      {},
      {},
      "INVALID_INPUT",
      "leave s3_bucket and s3_key out",
    ],
    ["half an s3Config", {}, {}, { s3Config: { ...JOB_S3, bucketName: "" } }, "INVALID_INPUT", "bucketName missing"],
    ["an s3Config of another form", {}, {}, { s3Config: "x" }, "INVALID_INPUT", "must be strings"],
    [
      "an endpoint that is not a URL",
      {},
      {},
      { s3Config: { ...JOB_S3, endpointUrl: "file:///x" } },
      "INVALID_INPUT",
      "http",
    ],
    [
      "a template that makes no key",
      {},
      { ...KEYS, S3_BUCKET: "b-1", S3_KEY_TEMPLATE: "../{job_id}" },
      {},
      "STORAGE_NOT_CONFIGURED",
      "S3_KEY_TEMPLATE",
    ],
  ])("refuses %s", (_name, fields, env, context, code, reason) => {
    expect(() => plan(fields, env, context)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(reason) }),
    );
  });
});

describe("sizes", () => {
  const long = { transcript: "word ".repeat(4000), chunk_method: "word" };

  it("an hour of text is refused before generation, but only as base64 and only when it is bound to be long", () => {
    expect(() => plan(long)).toThrow(
      expect.objectContaining({
        code: "RESULT_TOO_LARGE",
        message: expect.stringMatching(/got \d+ bytes, limit 10000000/),
      }),
    );
    expect(plan({ ...long, delivery: "file" }).kind).toBe("file");
    // One chunk ends after max_new_tokens, whatever is in it.
    expect(plan({ ...long, chunk_method: "none" }).kind).toBe("base64");
  });

  it("a /runsync job may be twice as large", () => {
    const medium = { transcript: "word ".repeat(1500), chunk_method: "word" };
    expect(() => plan(medium)).toThrow(expect.objectContaining({ code: "RESULT_TOO_LARGE" }));
    expect(plan(medium, {}, { jobId: "sync-1" })).toMatchObject({ kind: "base64", maxResultBytes: 20_000_000 });
  });
});
