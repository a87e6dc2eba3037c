import { HiggsError, SerialQueue, throwIfCancelled } from "@higgs-worker/base";
import { readBody } from "../../network/read-body.ts";
import { timeLimit } from "../../network/time-limit.ts";
import type { AttemptOptions } from "../attempts.ts";
import type { AudioSource, ObjectDescription, UploadProgress } from "../object-store.ts";
import { hasBytes, md5Of, saysOtherBytes } from "./check-bytes.ts";
import { codeOfBody, isUnsupported, STORE_SUBJECT } from "./error-reason.ts";
import { newOnlyHeaders, objectHeaders } from "./object-headers.ts";
import { attemptUpload, CHANGED, contentMd5, refused, sendRead, sha256Of } from "./put-object.ts";
import type { S3Client } from "./s3-client.ts";

export interface MultipartOptions extends AttemptOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/** Parts that are sent at the same time, at the end; while the file grows it is one. Each is in memory. */
const CONCURRENT_PARTS = 2;
const ABORT_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 65_536;

/** The store has no multipart uploads. */
export class MultipartUnsupported extends Error {}

/**
 * One attempt to store a file in equal parts while it grows. The first part is sent last, because a file's header holds its
 * length. After a failure it is of no use anymore, and nothing is left at the store.
 */
export class MultipartUpload {
  readonly #client: S3Client;
  readonly #object: ObjectDescription;
  readonly #audio: AudioSource;
  readonly #options: MultipartOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** Parts that are sent while the file grows. */
  readonly #queue = new SerialQueue();
  readonly #etags = new Map<number, string>();
  /** Parts whose ETag looks like the MD5 of other bytes. */
  #suspicious = 0;
  #uploadId: string | null = null;
  #nextPart = 2;
  #storedBytes = 0;
  #failure: { readonly error: unknown } | null = null;

  constructor(client: S3Client, object: ObjectDescription, audio: AudioSource, options: MultipartOptions) {
    this.#client = client;
    this.#object = object;
    this.#audio = audio;
    this.#options = options;
    const { signal } = options;
    this.#signal = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
  }

  /** Sends the parts that are full by now, one after the other, except the first. */
  sendFullParts(): void {
    while (this.#nextPart * this.#partBytes <= this.#audio.size) {
      const part = this.#nextPart++;
      void this.#queue.run(() => this.#sendWhileGrowing(part));
    }
  }

  /** What failed while the file grew, when all that was begun has ended; null when nothing did. */
  async earlierFailure(): Promise<unknown> {
    await this.#queue.run(() => Promise.resolve());
    return this.#failure === null ? null : this.#failure.error;
  }

  /**
   * Sends what is missing and makes the parts the object.
   *
   * @throws {HiggsError} STORAGE_* when it cannot be stored, CANCELLED when the signal fires
   * @throws {MultipartUnsupported} when the store has no multipart uploads
   */
  async finish(sha256: string): Promise<void> {
    const failure = await this.earlierFailure();
    if (failure !== null) throw failure;
    try {
      await this.#begin();
      await this.#sendRest();
      await this.#complete(sha256);
    } catch (error) {
      await this.#discard();
      throw error;
    }
  }

  /** Ends what runs and removes the parts from the store. Never rejects. */
  async abort(): Promise<void> {
    this.#stop.abort();
    await this.#queue.run(() => this.#discard());
  }

  get #partBytes(): number {
    return this.#client.target.upload.partBytes;
  }

  get #key(): string {
    return this.#object.key;
  }

  async #sendWhileGrowing(part: number): Promise<void> {
    if (this.#failure !== null) return;
    try {
      await this.#begin();
      await this.#sendPart(part);
    } catch (error) {
      this.#failure = { error };
      await this.#discard();
    }
  }

  async #begin(): Promise<void> {
    if (this.#uploadId !== null) return;
    throwIfCancelled(this.#signal, STORE_SUBJECT);
    const headers = objectHeaders(this.#client.target, this.#object);
    this.#uploadId = await this.#attempt(0, async (signal) => {
      const request = { method: "POST", key: this.#key, query: { uploads: "" }, headers, signal } as const;
      const answer = await this.#client.send(request);
      if (answer.refusal !== null) {
        if (isUnsupported(answer.refusal)) throw new HiggsError("NOT_SUPPORTED", STORE_SUBJECT, "no multipart uploads");
        return refused(answer.refusal, answer);
      }
      const { bytes } = await readBody(answer.body, { maxBytes: MAX_ANSWER_BYTES });
      const id = /<UploadId>([^<]{1,4096})<\/UploadId>/.exec(bytes.toString("utf8"))?.[1];
      if (id === undefined) throw new HiggsError("STORAGE_FAILED", STORE_SUBJECT, "the store named no upload");
      return unescapeXml(id);
    }).catch((error: unknown) => {
      throw error instanceof HiggsError && error.code === "NOT_SUPPORTED" ? new MultipartUnsupported() : error;
    });
  }

  async #sendRest(): Promise<void> {
    const partCount = Math.ceil(this.#audio.size / this.#partBytes);
    const missing: number[] = [];
    while (this.#nextPart <= partCount) missing.push(this.#nextPart++);
    missing.push(1);
    const lanes = Array.from({ length: CONCURRENT_PARTS }, async () => {
      for (let part = missing.shift(); part !== undefined; part = missing.shift()) await this.#sendPart(part);
    });
    const failed = (await Promise.allSettled(lanes)).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  async #sendPart(part: number): Promise<void> {
    const start = (part - 1) * this.#partBytes;
    const body = await this.#audio.read(start, Math.min(start + this.#partBytes, this.#audio.size));
    const md5 = md5Of(body);
    const sha256 = sha256Of(body);
    const query = { partNumber: String(part), uploadId: this.#uploadId ?? "" };
    const etag = await this.#attempt(body.byteLength, async (signal, attempt) => {
      const headers = contentMd5(md5);
      const answer = await sendRead(this.#client, {
        method: "PUT",
        key: this.#key,
        query,
        headers,
        body,
        sha256,
        signal,
      });
      if (answer.refusal !== null) return refused(answer.refusal, answer);
      const isOther = saysOtherBytes(answer, md5);
      if (isOther && attempt === 1) return CHANGED;
      if (isOther) this.#suspicious++;
      return answer.headers.get("etag") ?? "";
    });
    this.#etags.set(part, etag);
    this.#storedBytes += body.byteLength;
    this.#options.onProgress?.({ bytes: this.#storedBytes, parts: this.#etags.size });
  }

  async #complete(sha256: string): Promise<void> {
    const body = Buffer.from(completion(this.#etags));
    const headers = { "Content-Type": "application/xml", ...newOnlyHeaders(this.#client.target) };
    const sent = { key: this.#key, sha256, byteCount: this.#audio.size };
    const query = { uploadId: this.#uploadId ?? "" };
    const hash = sha256Of(body);
    await this.#attempt(this.#audio.size, async (signal, attempt) => {
      const request = { method: "POST", key: this.#key, query, headers, body, sha256: hash, signal } as const;
      const answer = await this.#client.send(request);
      // An earlier attempt may have succeeded although its answer was lost.
      const isPerhapsDone = attempt > 1 && [403, 404, 412].includes(answer.status);
      if (isPerhapsDone && (await hasBytes(this.#client, sent, signal))) return null;
      if (answer.refusal !== null) return refused(answer.refusal, answer);
      // A store that needs long answers 200 at once, and says in the body whether it failed.
      const { bytes } = await readBody(answer.body, { maxBytes: MAX_ANSWER_BYTES });
      const code = codeOfBody(bytes.toString("utf8"));
      if (code !== "") return refused({ status: 500, code, region: null }, answer);
      return null;
    });
    this.#uploadId = null;
    const isUnclear = this.#suspicious > 0;
    if (isUnclear && !(await hasBytes(this.#client, sent, timeLimit(this.#client.target.timeoutMs, this.#signal)))) {
      throw new HiggsError("STORAGE_FAILED", STORE_SUBJECT, CHANGED.reason(1));
    }
  }

  #attempt<T>(byteCount: number, attempt: Parameters<typeof attemptUpload<T>>[2]): Promise<T> {
    return attemptUpload({ client: this.#client, byteCount, signal: this.#signal }, this.#options, attempt);
  }

  /** Tries to leave nothing behind, also after a cancel. */
  async #discard(): Promise<void> {
    if (this.#uploadId === null) return;
    const query = { uploadId: this.#uploadId };
    this.#uploadId = null;
    const limit = timeLimit(ABORT_TIMEOUT_MS);
    await attemptUpload({ client: this.#client, byteCount: 0, signal: limit }, this.#options, async (signal) => {
      const answer = await sendRead(this.#client, { method: "DELETE", key: this.#key, query, signal });
      return answer.refusal === null ? null : refused(answer.refusal, answer);
    }).catch(() => undefined);
  }
}

/** The parts with their ETags exactly as the store gave them. */
function completion(etags: ReadonlyMap<number, string>): string {
  const parts = [...etags]
    .sort(([one], [other]) => one - other)
    .map(([part, etag]) => `<Part><PartNumber>${part}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`);
  const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
  return `<CompleteMultipartUpload xmlns="${namespace}">${parts.join("")}</CompleteMultipartUpload>`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replaceAll(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (entity, decimal?: string, hex?: string, name = "") => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return ENTITIES[String(name)] ?? entity;
  });
}
