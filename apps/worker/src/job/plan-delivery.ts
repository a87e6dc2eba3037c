import { randomUUID } from "node:crypto";
import { HiggsError } from "@higgs-worker/base";
import { encoderFor } from "@higgs-worker/audio";
import * as v from "valibot";
import type { Config } from "../config/settings.ts";
import { createFileStore } from "../storage/file-store.ts";
import { fillKeyTemplate, keyProblem } from "../storage/object-key.ts";
import type { ObjectStore } from "../storage/object-store.ts";
import { createPutUrlStore, type PutUrlOptions } from "../storage/put-url/put-url-store.ts";
import { createS3Store, type S3StoreOptions } from "../storage/s3/s3-store.ts";
import { knownBucket, resolveS3Target, type JobS3Config } from "../storage/s3/target.ts";
import type { JobInput } from "./job-fields.ts";
import { maxResultBytesOf, refuseForeseeablyLarge } from "./result-size.ts";

/** A job's delivery, decided before generation, so that a job that cannot be delivered costs nothing. */
export type DeliveryPlan =
  | StorePlan
  | { readonly kind: "base64"; readonly maxResultBytes: number }
  /** The caller gets the bytes. */
  | { readonly kind: "bytes" }
  /** The caller has had the audio in parts; no file is made. */
  | { readonly kind: "parts" };

export interface StorePlan {
  readonly kind: "s3" | "file" | "put_url";
  readonly store: ObjectStore;
  readonly key: string;
  /** Largest result in which the audio may come back if it cannot be stored; 0 by default. */
  readonly maxResultBytes?: number;
}

export interface DeliveryContext {
  readonly jobId: string;
  /** The job's raw `s3Config` (spec platform §4.1). */
  readonly s3Config: unknown;
  readonly config: Config;
  readonly seed: number;
  readonly s3Options?: S3StoreOptions;
  readonly putUrlOptions?: PutUrlOptions | undefined;
}

/**
 * Decides how the audio is delivered. `auto` is S3 if a bucket or key is known, else base64.
 *
 * @throws {HiggsError} STORAGE_NOT_CONFIGURED when no usable store is set up, INVALID_INPUT for an invalid `s3Config`
 * @throws {HiggsError} RESULT_TOO_LARGE when the audio is bound to exceed the platform's limit
 */
export function planDelivery(input: JobInput, context: DeliveryContext): DeliveryPlan {
  const maxResultBytes = maxResultBytesOf(context.jobId);
  const putUrl = putUrlOf(input);
  if (putUrl !== null) {
    const store = createPutUrlStore(putUrl, {
      ...context.putUrlOptions,
      config: context.config,
      attempts: context.s3Options,
    });
    return { kind: "put_url", store, key: "", maxResultBytes };
  }
  const wish = { bucket: input.s3_bucket, jobConfig: parseJobS3Config(context.s3Config) };
  const wantsS3 = input.delivery === "auto" && (input.s3_key !== null || knownBucket(context.config, wish) !== null);
  if (input.delivery === "s3" || wantsS3) {
    const store = createS3Store(resolveS3Target(context.config, wish), context.s3Options);
    return { kind: "s3", store, key: keyOf(input, context, wish.jobConfig), maxResultBytes };
  }
  if (input.delivery === "file") {
    const badPathCode = input.s3_key === null ? "STORAGE_NOT_CONFIGURED" : "INVALID_INPUT";
    const store = createFileStore(context.config.outputDir, { badPathCode });
    return { kind: "file", store, key: keyOf(input, context, null), maxResultBytes };
  }
  refuseForeseeablyLarge(input, maxResultBytes);
  return { kind: "base64", maxResultBytes };
}

/** The address that the audio is sent to; null for another delivery. */
function putUrlOf({ delivery, put_url: url, s3_bucket: bucket, s3_key: key }: JobInput): string | null {
  if (url === null && delivery !== "put_url") return null;
  const refuse = (reason: string) => new HiggsError("INVALID_INPUT", "deliver to put_url", reason);
  if (url === null) throw refuse("put_url is missing");
  if (delivery !== "put_url" && delivery !== "auto") throw refuse(`delivery is ${delivery} (allowed put_url, auto)`);
  if (bucket !== null || key !== null) throw refuse("it has its own place; leave s3_bucket and s3_key out");
  return url;
}

function keyOf(input: JobInput, context: DeliveryContext, jobConfig: JobS3Config | null): string {
  if (input.s3_key !== null) return input.s3_key;
  const facts = {
    jobId: context.jobId,
    seed: context.seed,
    extension: encoderFor(input.output_format).fileExtension,
    now: new Date(),
    uuid: randomUUID(),
  };
  const folder = jobConfig?.objectPath?.replaceAll(/^\/+|\/+$/g, "") ?? "";
  const filled = fillKeyTemplate(context.config.s3KeyTemplate, facts);
  const key = folder === "" ? filled : `${folder}/${filled.split("/").at(-1) ?? filled}`;
  const problem = keyProblem(key);
  if (problem === null) return key;
  throw new HiggsError(
    "STORAGE_NOT_CONFIGURED",
    "name the object",
    `the key of S3_KEY_TEMPLATE or objectPath ${problem}`,
  );
}

const JobS3ConfigSchema = v.object({
  accessId: v.optional(v.string(), ""),
  accessSecret: v.optional(v.string(), ""),
  bucketName: v.optional(v.string(), ""),
  endpointUrl: v.optional(v.string(), ""),
  objectPath: v.optional(v.nullable(v.string()), null),
  region: v.optional(v.nullable(v.string()), null),
});

/** A job without an access key has no store of its own; with one it must be complete. */
function parseJobS3Config(raw: unknown): JobS3Config | null {
  const result = v.safeParse(JobS3ConfigSchema, raw);
  if (!result.success) {
    if (raw === null || raw === undefined) return null;
    throw new HiggsError("INVALID_INPUT", "read the job's s3Config", "its fields must be strings");
  }
  const config = result.output;
  if (config.accessId === "") return null;
  const missing = (["accessSecret", "bucketName", "endpointUrl"] as const).filter((name) => config[name] === "");
  if (missing.length > 0)
    throw new HiggsError("INVALID_INPUT", "read the job's s3Config", `${missing.join(", ")} missing`);
  if (!URL.canParse(config.endpointUrl) || !/^https?:/.test(config.endpointUrl)) {
    throw new HiggsError(
      "INVALID_INPUT",
      "read the job's s3Config",
      "endpointUrl must be an http:// or https:// address",
    );
  }
  return { ...config, region: config.region === "" ? null : config.region };
}
