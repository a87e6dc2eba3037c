import { isHiggsError } from "@higgs-worker/base";
import { discardBody } from "../../network/http-request.ts";
import { describeNetworkFailure } from "../../network/network-failure.ts";
import { timeLimit } from "../../network/time-limit.ts";
import type { AttemptOptions } from "../attempts.ts";
import type {
  AudioSource,
  GrowingUpload,
  ObjectDescription,
  ObjectStore,
  StoreOptions,
  StoreRequest,
  StoredObject,
} from "../object-store.ts";
import { askBucket, rememberAsked, wasAsked } from "./ask-bucket.ts";
import { holdsForEveryRequest, refusalCode, refusalReason, storeError } from "./error-reason.ts";
import { MultipartUnsupported, MultipartUpload } from "./multipart-upload.ts";
import { objectUrl } from "./object-address.ts";
import { putObject } from "./put-object.ts";
import { S3Client } from "./s3-client.ts";
import type { S3Target } from "./target.ts";

export interface S3StoreOptions extends AttemptOptions {
  /** Time for a query about the bucket; 5000 by default. */
  readonly askTimeoutMs?: number;
}

/**
 * Stores objects in a bucket, signed with SigV4: with one PUT each up to the size of a part, larger ones in parts. The store
 * gets the SHA-256 and the MD5 of the bytes, and its ETag is compared, because not every store checks them.
 */
export function createS3Store(target: S3Target, options: S3StoreOptions = {}): ObjectStore {
  const client = new S3Client(target);
  return {
    check: (key, { signal } = {}) => checkTarget(client, key, options, signal),
    put: async ({ audio, sha256, ...object }, storing = {}) =>
      await new S3Upload(client, object, audio, options, storing).finish(sha256),
    begin: (object, audio, storing = {}) => new S3Upload(client, object, audio, options, storing),
  };
}

/** What can be checked in advance; a store that does not respond now may do so later. */
async function checkTarget(
  client: S3Client,
  key: string,
  options: S3StoreOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { target } = client;
  objectUrl(target, key);
  const limit = () => timeLimit(options.askTimeoutMs ?? 5_000, signal);
  if (!wasAsked(target)) {
    const refusal = await askBucket(client, limit()).catch((error: unknown) => noAnswer(error, signal));
    if (refusal === "no answer") return;
    if (refusal !== null && holdsForEveryRequest(refusal)) {
      throw storeError(refusalCode(refusal), refusalReason(refusal, 1));
    }
    rememberAsked(target);
  }
  if (!target.upload.isNewOnly) return;
  const head = await client
    .send({ method: "HEAD", key, signal: limit() })
    .catch((error: unknown) => noAnswer(error, signal));
  if (head === "no answer" || head.refusal !== null) return;
  await discardBody(head);
  throw storeError(
    "STORAGE_DENIED",
    refusalReason({ status: head.status, code: "PreconditionFailed", region: null }, 1),
  );
}

function noAnswer(error: unknown, signal: AbortSignal | undefined): "no answer" {
  if (signal?.aborted === true) throw storeError("CANCELLED", "the request was cancelled", error);
  if (isHiggsError(error)) throw error;
  const { code, reason, isPermanent } = describeNetworkFailure(error);
  if (isPermanent) throw storeError("STORAGE_NOT_CONFIGURED", reason, error);
  // An unknown host name is most likely misspelled; if it appears later, only this job was lost.
  if (code === "ENOTFOUND") throw storeError("STORAGE_FAILED", reason, error);
  return "no answer";
}

/** A file on its way into a bucket. */
class S3Upload implements GrowingUpload {
  readonly #client: S3Client;
  readonly #object: ObjectDescription;
  readonly #audio: AudioSource;
  readonly #options: S3StoreOptions;
  readonly #storing: StoreOptions;
  #parts: MultipartUpload | null = null;

  constructor(
    client: S3Client,
    object: ObjectDescription,
    audio: AudioSource,
    options: S3StoreOptions,
    storing: StoreOptions,
  ) {
    this.#client = client;
    this.#object = object;
    this.#audio = audio;
    this.#options = options;
    this.#storing = storing;
  }

  grown(): void {
    if (!this.#isInParts) return;
    this.#parts ??= this.#newParts();
    this.#parts.sendFullParts();
  }

  async finish(sha256: string): Promise<StoredObject> {
    const request = { ...this.#object, audio: this.#audio, sha256 };
    if (this.#isInParts) await this.#finishInParts(request);
    else await this.#putWhole(request);
    const { target, warnings } = this.#client;
    rememberAsked(target);
    const { key } = this.#object;
    return {
      url: `s3://${target.bucket}/${key}`,
      downloadUrl: target.urlExpiresSeconds === 0 ? null : await this.#client.presign(key),
      warnings,
    };
  }

  async abort(): Promise<void> {
    await this.#parts?.abort();
  }

  get #isInParts(): boolean {
    return this.#audio.size > this.#client.target.upload.partBytes;
  }

  #newParts(): MultipartUpload {
    return new MultipartUpload(this.#client, this.#object, this.#audio, { ...this.#options, ...this.#storing });
  }

  async #finishInParts(request: StoreRequest): Promise<void> {
    try {
      await this.#finishOrRepeat(request.sha256);
    } catch (error) {
      // Rare stores; what they do take is one PUT, for which the file must be in memory.
      if (!(error instanceof MultipartUnsupported)) throw error;
      await this.#putWhole(request);
    }
  }

  /** A store that failed while the audio was made may work again now, and the audio is all there. */
  async #finishOrRepeat(sha256: string): Promise<void> {
    const earlier = this.#parts;
    if (earlier !== null) {
      const failure = await earlier.earlierFailure();
      if (failure === null) return await earlier.finish(sha256);
      const isTemporary = isHiggsError(failure) && failure.code === "STORAGE_FAILED";
      if (!isTemporary) throw failure;
    }
    await this.#newParts().finish(sha256);
  }

  async #putWhole(request: StoreRequest): Promise<void> {
    const { signal, onProgress } = this.#storing;
    await putObject(this.#client, request, this.#options, signal);
    onProgress?.({ bytes: request.audio.size, parts: 1 });
  }
}
