import { sendHttp, type HttpAnswer, type HttpMethod } from "../../network/http-request.ts";
import {
  type Corrections,
  correctedTarget,
  correctionFor,
  correctionsOf,
  correctionWarnings,
  rememberCorrections,
} from "./corrections.ts";
import { readRefusal, type S3Refusal } from "./error-reason.ts";
import { bucketUrl, objectUrl, type BucketPlace } from "./object-address.ts";
import type { S3Target } from "./target.ts";

export interface S3Request {
  readonly method: HttpMethod;
  /** Null for the bucket itself. */
  readonly key: string | null;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** SHA-256 of the body, lower-case hex. */
  readonly sha256?: string;
  readonly signal?: AbortSignal | undefined;
}

/** A response, whose body is unread unless it is a refusal. */
export interface S3Answer extends HttpAnswer {
  /** Read from a status of 300 and above. */
  readonly refusal: S3Refusal | null;
}

const SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * Signs requests to one target with SigV4, over every header and the payload's hash. Where the store says that the bucket is in
 * another region, or refuses the clock, the request is repeated once with the store's region or time, and later ones begin with it.
 */
export class S3Client {
  /** As configured. */
  readonly target: S3Target;

  constructor(target: S3Target) {
    this.target = target;
  }

  /** What whoever runs the worker should change, as far as it is known. */
  get warnings(): readonly string[] {
    return correctionWarnings(this.target, correctionsOf(this.target));
  }

  /**
   * @throws {Error} as `sendHttp` does
   * @throws {HiggsError} STORAGE_NOT_CONFIGURED when bucket and key do not form a URL
   */
  async send(request: S3Request): Promise<S3Answer> {
    const first = correctionsOf(this.target);
    const answer = await this.#sendWith(first, request);
    const correction = this.#correction(answer, first);
    if (correction === null) return answer;
    const second = { ...first, ...correction };
    const again = await this.#sendWith(second, request);
    // A store may name the region only to a clock that it accepts.
    const further = this.#correction(again, second);
    const isFurther = further !== null && Object.keys(further).every((name) => !(name in correction));
    const third = isFurther ? { ...second, ...further } : second;
    const last = isFurther ? await this.#sendWith(third, request) : again;
    if (last.refusal === null || this.#correction(last, third) === null) rememberCorrections(this.target, third);
    return last;
  }

  /** A URL that anyone can fetch for `target.urlExpiresSeconds`. */
  async presign(key: string): Promise<string> {
    const corrections = correctionsOf(this.target);
    const target = correctedTarget(this.target, corrections);
    const isSameHost = this.target.publicPlace.endpoint.href === this.target.endpoint.href;
    const place: BucketPlace = isSameHost ? target : this.target.publicPlace;
    const url = objectUrl(place, key);
    url.searchParams.set("X-Amz-Expires", String(target.urlExpiresSeconds));
    const { AwsV4Signer } = await import("aws4fetch");
    const datetime = signingTime(corrections);
    const signer = new AwsV4Signer({
      ...signingKey(target),
      ...datetime,
      method: "GET",
      url: url.href,
      signQuery: true,
    });
    return (await signer.sign()).url.href;
  }

  #correction(answer: S3Answer, { clockOffsetMs, region }: Corrections): Partial<Corrections> | null {
    if (answer.refusal === null) return null;
    return correctionFor(answer.refusal, answer, { region: region ?? this.target.region, clockOffsetMs });
  }

  async #sendWith(corrections: Corrections, request: S3Request): Promise<S3Answer> {
    const target = correctedTarget(this.target, corrections);
    const { method, key, query = {}, headers, body, sha256 = SHA256_OF_NOTHING, signal } = request;
    const url = key === null ? bucketUrl(target) : objectUrl(target, key);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const { AwsV4Signer } = await import("aws4fetch");
    const signer = new AwsV4Signer({
      ...signingKey(target),
      ...signingTime(corrections),
      method,
      url: url.href,
      headers: { ...headers, "X-Amz-Content-Sha256": sha256 },
      allHeaders: true,
    });
    const signed = await signer.sign();
    const { proxy } = target;
    const answer = await sendHttp({
      method,
      url: signed.url,
      headers: signed.headers,
      body,
      proxy,
      redirect: "manual",
      signal,
    });
    const refusal = answer.status < 300 ? null : await readRefusal(answer);
    return { status: answer.status, headers: answer.headers, body: answer.body, refusal };
  }
}

function signingKey({ credentials, region }: S3Target) {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return { accessKeyId, secretAccessKey, ...(sessionToken !== null && { sessionToken }), service: "s3", region };
}

/** The time on the store's clock; nothing where it is this machine's. */
function signingTime({ clockOffsetMs }: Corrections): { readonly datetime?: string } {
  if (clockOffsetMs === 0) return {};
  return { datetime: new Date(Date.now() + clockOffsetMs).toISOString().replaceAll(/[:-]|\.\d+/g, "") };
}
