import { HiggsError, type ErrorCode } from "@higgs-worker/base";

/** What an S3 store answered, reduced to what a message may show. */
export interface S3Refusal {
  readonly status: number;
  /** `Code` of the XML body, or empty. */
  readonly code: string;
  /** Region that the bucket is in, where the store says so. */
  readonly region: string | null;
}

const CODES_WORTH_A_RETRY = new Set([
  "BadDigest",
  "InternalError",
  "OperationAborted",
  "RequestTimeout",
  "ServiceUnavailable",
  "SlowDown",
  "XAmzContentSHA256Mismatch",
]);

const HINTS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  AccessDenied: ["STORAGE_DENIED", "these credentials may not write there"],
  AllAccessDisabled: ["STORAGE_DENIED", "access to the bucket is switched off"],
  AuthorizationHeaderMalformed: ["STORAGE_NOT_CONFIGURED", "the region is not the bucket's"],
  ExpiredToken: ["STORAGE_DENIED", "the session token has expired"],
  InvalidAccessKeyId: ["STORAGE_DENIED", "the access key is not known to the store"],
  InvalidBucketName: ["STORAGE_NOT_CONFIGURED", "the bucket's name is not valid"],
  InvalidToken: ["STORAGE_DENIED", "the session token is not valid"],
  NoSuchBucket: ["STORAGE_NOT_CONFIGURED", "the bucket does not exist"],
  PermanentRedirect: ["STORAGE_NOT_CONFIGURED", "the bucket is at another endpoint"],
  QuotaExceeded: ["STORAGE_FAILED", "the quota of the store is used up"],
  RequestTimeTooSkewed: ["STORAGE_DENIED", "this machine's clock is wrong"],
  SignatureDoesNotMatch: ["STORAGE_DENIED", "the secret key does not belong to the access key"],
  TemporaryRedirect: ["STORAGE_NOT_CONFIGURED", "the bucket is at another endpoint"],
};

/** Reads a refusal from status, headers and the first part of the body. Nothing else of the body is kept: it may hold keys. */
export function readRefusal(status: number, headers: Headers, body: string): S3Refusal {
  const code = /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(body)?.[1] ?? "";
  const region = headers.get("x-amz-bucket-region") ?? /<Region>([a-z0-9-]{1,32})<\/Region>/.exec(body)?.[1] ?? null;
  return { status, code, region };
}

/** Whether the same request may succeed a moment later. */
export function isWorthARetry({ status, code }: S3Refusal): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500 || CODES_WORTH_A_RETRY.has(code);
}

/** The refusal as an error of the registry. `attempts` is how often it was tried. */
export function refusalError(refusal: S3Refusal, attempts: number): HiggsError {
  const [errorCode, hint] = HINTS[refusal.code] ?? fallback(refusal.status);
  const where = refusal.region === null ? "" : `, the bucket is in region ${refusal.region}`;
  const name = refusal.code === "" ? "" : ` ${refusal.code}`;
  const tries = attempts > 1 ? ` after ${attempts} attempts` : "";
  return new HiggsError(
    errorCode,
    "store the audio in S3",
    `${hint}${where} (got HTTP ${refusal.status}${name}${tries})`,
  );
}

function fallback(status: number): readonly [ErrorCode, string] {
  if (status === 401 || status === 403) return ["STORAGE_DENIED", "the store refused these credentials"];
  if (status === 404) return ["STORAGE_NOT_CONFIGURED", "the bucket or the endpoint does not exist"];
  if (status >= 300 && status < 400) return ["STORAGE_NOT_CONFIGURED", "the store is at another address"];
  return ["STORAGE_FAILED", "the store did not take it"];
}
