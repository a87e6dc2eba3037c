import { HiggsError, type ErrorCode } from "@higgs-worker/base";
import { readBody } from "../../network/read-body.ts";
import type { HttpAnswer } from "../../network/http-request.ts";
import { recognizeHost } from "./known-stores.ts";

/** An S3 error response, reduced to what a message may show. */
export interface S3Refusal {
  readonly status: number;
  /** `Code` of the XML body, or empty. */
  readonly code: string;
  /** The bucket's region, if the store says so. */
  readonly region: string | null;
}

/** How much of an error's body is read. */
const MAX_ERROR_BODY_BYTES = 8_192;

const CODES_WORTH_A_RETRY = new Set([
  "BadDigest",
  "ConditionalRequestConflict",
  "InternalError",
  "OperationAborted",
  "RequestTimeout",
  "ServiceUnavailable",
  "SlowDown",
  "XAmzContentChecksumMismatch",
  "XAmzContentSHA256Mismatch",
]);

/** Permanent statuses from 500 on. */
const PERMANENT_SERVER_STATUSES = new Set([501, 505, 507, 511]);

const BAD_NAME = "the store does not accept this name";
const UNKNOWN_KEY = "the store does not know the access key";
const BAD_TOKEN = "the session token is not valid";

const HINTS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  AccessDenied: ["STORAGE_DENIED", "these credentials may not write there"],
  AllAccessDisabled: ["STORAGE_DENIED", "access to the bucket is disabled"],
  AuthorizationHeaderMalformed: ["STORAGE_NOT_CONFIGURED", "the region is not the bucket's"],
  EntityTooLarge: ["STORAGE_DENIED", "the file is larger than the store's limit for one upload"],
  ExistingObjectIsDirectory: ["STORAGE_DENIED", "the key is a folder there; use another s3_key"],
  ExpiredToken: ["STORAGE_DENIED", "the session token has expired"],
  InvalidAccessKeyId: ["STORAGE_DENIED", UNKNOWN_KEY],
  InvalidBucketName: ["STORAGE_NOT_CONFIGURED", "the bucket's name is not valid"],
  InvalidObjectName: ["STORAGE_DENIED", `${BAD_NAME}; use another s3_key`],
  InvalidToken: ["STORAGE_DENIED", BAD_TOKEN],
  InvalidTokenId: ["STORAGE_DENIED", BAD_TOKEN],
  InvalidURI: ["STORAGE_DENIED", `${BAD_NAME}; use another s3_key`],
  KeyTooLong: ["STORAGE_DENIED", "the key is too long for the store; use a shorter s3_key"],
  KeyTooLongError: ["STORAGE_DENIED", "the key is too long for the store; use a shorter s3_key"],
  NoSuchBucket: ["STORAGE_NOT_CONFIGURED", "the bucket does not exist"],
  NotImplemented: ["STORAGE_NOT_CONFIGURED", "the store does not support part of the request (such as session tokens)"],
  NotSignedUp: ["STORAGE_DENIED", UNKNOWN_KEY],
  ObjectParentIsFile: ["STORAGE_DENIED", "a folder of the key is a file there; use another s3_key"],
  ParentIsObject: ["STORAGE_DENIED", "a folder of the key is a file there; use another s3_key"],
  PermanentRedirect: ["STORAGE_NOT_CONFIGURED", "the bucket is at another endpoint"],
  PreconditionFailed: ["STORAGE_DENIED", "an object with this key exists (S3_IF_NONE_MATCH); use another s3_key"],
  QuotaExceeded: ["STORAGE_FAILED", "the store's quota is exhausted"],
  RequestTimeTooSkewed: ["STORAGE_DENIED", "this machine's clock is wrong"],
  SignatureDoesNotMatch: ["STORAGE_DENIED", "the secret key does not belong to the access key"],
  TemporaryRedirect: ["STORAGE_NOT_CONFIGURED", "the bucket is at another endpoint"],
  XAdminUserNotFound: ["STORAGE_DENIED", UNKNOWN_KEY],
  XMinioInvalidObjectName: ["STORAGE_DENIED", `${BAD_NAME}; use another s3_key`],
  XMinioParentIsObject: ["STORAGE_DENIED", "a folder of the key is a file there; use another s3_key"],
};

/** Errors about key, clock, region and bucket: they apply to every request. */
const CODES_OF_THE_SET_UP = new Set([
  "AllAccessDisabled",
  "AuthorizationHeaderMalformed",
  "ExpiredToken",
  "InvalidAccessKeyId",
  "InvalidBucketName",
  "InvalidToken",
  "InvalidTokenId",
  "NoSuchBucket",
  "NotSignedUp",
  "PermanentRedirect",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
  "XAdminUserNotFound",
]);

/** Reads a refusal from status, headers and the first part of the body. The body is not kept: it may contain keys. */
export async function readRefusal(answer: HttpAnswer): Promise<S3Refusal> {
  const { bytes } = await readBody(answer.body, { maxBytes: MAX_ERROR_BODY_BYTES });
  const body = bytes.toString("utf8");
  const code = codeOfBody(body);
  const header = answer.headers.get("x-amz-bucket-region");
  const region =
    (header !== null && /^[A-Za-z0-9-]{1,32}$/.test(header) ? header : null) ??
    /<Region>([A-Za-z0-9-]{1,32})<\/Region>/.exec(body)?.[1] ??
    regionOfHost(/<Endpoint>([A-Za-z0-9.-]{1,255})<\/Endpoint>/.exec(body)?.[1] ?? hostOf(answer));
  return { status: answer.status, code, region };
}

/** `Code` of an error's XML, or empty. */
export function codeOfBody(body: string): string {
  return /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(body)?.[1] ?? "";
}

/** Whether the store does not have the operation at all. */
export function isUnsupported({ status, code }: S3Refusal): boolean {
  return code === "NotImplemented" || code === "MethodNotAllowed" || status === 501 || status === 405;
}

/** Redirects of AWS to another region name a host that contains it. */
function regionOfHost(host: string): string | null {
  const known = recognizeHost(host);
  return known?.store === "aws" ? known.region : null;
}

function hostOf({ headers }: HttpAnswer): string {
  const location = headers.get("location") ?? "";
  return URL.canParse(location) ? new URL(location).hostname : "";
}

/** Whether the same request may succeed a moment later. */
export function isWorthARetry({ status, code }: S3Refusal): boolean {
  if (CODES_WORTH_A_RETRY.has(code)) return true;
  if (status >= 500) return !PERMANENT_SERVER_STATUSES.has(status) && code !== "NotImplemented";
  return status === 408 || status === 425 || status === 429;
}

/** Whether every other request to the bucket is refused too. */
export function holdsForEveryRequest({ code }: S3Refusal): boolean {
  return CODES_OF_THE_SET_UP.has(code);
}

export function refusalCode(refusal: S3Refusal): ErrorCode {
  return hintOf(refusal)[0];
}

/** The refusal in words, after `attempts` attempts. */
export function refusalReason(refusal: S3Refusal, attempts: number): string {
  const where = refusal.region === null ? "" : `, the bucket is in region ${refusal.region}`;
  const tries = attempts > 1 ? ` after ${attempts} attempts` : "";
  return `${hintOf(refusal)[1]}${where} (got ${nameOf(refusal)}${tries})`;
}

/** `HTTP 403 AccessDenied`. */
export function nameOf({ status, code }: S3Refusal): string {
  return `HTTP ${status}${code === "" ? "" : ` ${code}`}`;
}

export const STORE_SUBJECT = "store the audio in S3";

export function storeError(code: ErrorCode, reason: string, cause?: unknown): HiggsError {
  return new HiggsError(code, STORE_SUBJECT, reason, { cause });
}

function hintOf(refusal: S3Refusal): readonly [ErrorCode, string] {
  return HINTS[refusal.code] ?? fallback(refusal);
}

function fallback({ status, code }: S3Refusal): readonly [ErrorCode, string] {
  if (status === 401 || status === 403) return ["STORAGE_DENIED", "the store refused these credentials"];
  if (status === 404 && code === "") return ["STORAGE_NOT_CONFIGURED", "the bucket or the endpoint does not exist"];
  if (status === 404) return ["STORAGE_NOT_CONFIGURED", "the store did not find something that the request names"];
  if (status === 409) return ["STORAGE_DENIED", "something else is in the way of this key; use another s3_key"];
  if (status === 405 || status === 501) return ["STORAGE_NOT_CONFIGURED", "this is not the address of an S3 store"];
  if (status === 413) return ["STORAGE_DENIED", "the file is larger than the store's limit for one upload"];
  if (status === 414) return ["STORAGE_DENIED", "the key is too long for the store; use a shorter s3_key"];
  if (status === 507) return ["STORAGE_FAILED", "the store is full"];
  if (status >= 300 && status < 400) return ["STORAGE_NOT_CONFIGURED", "the store is at another URL"];
  return ["STORAGE_FAILED", "the store did not accept it"];
}
