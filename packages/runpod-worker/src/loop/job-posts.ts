import type { WorkerTiming } from "../config/worker-timing.ts";
import type { Logger } from "../logging/logger.ts";
import { type Delivery, type DeliveryLimits, deliver } from "../platform/delivery.ts";
import type { PlatformClient } from "../platform/platform-client.ts";
import type { WorkerUrls } from "../platform/worker-urls.ts";
import { errorMessageOf } from "../results/error-text.ts";
import { encodeJson } from "../results/json-encoding.ts";
import { bodyOfError, type ResultBody } from "../results/result-body.ts";

/** Documented limits of results; the real limit of job-done is unknown (spec platform §4.5). */
const DOCUMENTED_SYNC_LIMIT_BYTES = 20_000_000;
const DOCUMENTED_ASYNC_LIMIT_BYTES = 10_000_000;

export interface ResultPost {
  readonly body: ResultBody;
  readonly isStream: boolean;
  /** Time for all attempts. Default: `resultBudgetMs`. */
  readonly budgetMs: number | undefined;
  readonly signal: AbortSignal;
}

/** Everything that is posted for a job: results, chunks, progress (spec platform §3.5, §3.6). No method rejects. */
export class JobPosts {
  readonly #client: PlatformClient;
  readonly #urls: WorkerUrls;
  readonly #timing: WorkerTiming;
  #hasWarnedOfStream = false;
  #lostResults = 0;

  constructor(client: PlatformClient, urls: WorkerUrls, timing: WorkerTiming) {
    this.#client = client;
    this.#urls = urls;
    this.#timing = timing;
  }

  /** Final posts that were given up, so the platform does not know how their jobs ended. */
  get lostResults(): number {
    return this.#lostResults;
  }

  /**
   * Posts the single final body of a job; a body that cannot be sent is replaced by an error (W45, W46, W49).
   *
   * @returns whether the platform knows how the job ended, or no longer asks
   */
  async result(jobId: string, post: ResultPost, log: Logger): Promise<boolean> {
    const delivery = await this.#postResult(jobId, post, log);
    report(delivery, log);
    if (delivery.kind === "lost" || delivery.kind === "unacceptable") this.#lostResults += 1;
    return delivery.kind === "delivered" || delivery.kind === "gone";
  }

  async #postResult(jobId: string, post: ResultPost, log: Logger): Promise<Delivery> {
    const body = encodeBody(post.body, log);
    const isLarge = body.length > DOCUMENTED_SYNC_LIMIT_BYTES;
    if (isLarge) log.warn(`The result is above the documented limits (got ${body.length} bytes, limit ${limits()}).`);
    const delivery = await this.#deliverResult(jobId, body, post, isLarge, log);
    const refusal = refusalIn(delivery, isLarge);
    if (refusal === undefined) return delivery;
    log.error(`Failed to return job results. | ${refusal} for ${body.length} bytes, posting an error instead.`);
    const substitute = encodeBody(substituteFor(body.length, refusal, post.body), log);
    return this.#deliverResult(jobId, substitute, post, false, log);
  }

  /** Posts one chunk; resolves with the reason if it is lost for good, also if the job was stopped meanwhile. */
  async chunk(jobId: string, body: Buffer, log: Logger, signal: AbortSignal): Promise<string | undefined> {
    const url = this.#urls.chunk(jobId);
    if (url === undefined) {
      this.#warnOfStream(log);
      // A job must be able to finish without streaming (W55).
      return undefined;
    }
    const parcel = { url, jobId, body, signal, onRetry: retryReporter("Streamed output", log) };
    const delivery = await deliver(this.#client, parcel, this.#limits(this.#timing.chunkBudgetMs));
    if (delivery.kind === "delivered") log.debug("Intermediate results sent.");
    return lossOf(delivery, body.length);
  }

  /** Posts one progress update without retries, since a newer one will follow. */
  async progress(jobId: string, body: Buffer, log: Logger, signal: AbortSignal): Promise<void> {
    const url = this.#urls.done(jobId, false);
    const timeoutMs = this.#timing.progressTimeoutMs;
    try {
      const { status } = await this.#client.post(url, { jobId, body, signal, timeoutMs });
      log.debug(status < 300 ? "Progress sent." : `Progress not taken. | HTTP ${status}`);
    } catch (error) {
      log.debug(`Progress not sent. | ${errorMessageOf(error)}`);
    }
  }

  #deliverResult(jobId: string, body: Buffer, post: ResultPost, isLarge: boolean, log: Logger): Promise<Delivery> {
    const { resultBudgetMs, largeResultBudgetMs } = this.#timing;
    const url = this.#urls.done(jobId, post.isStream);
    const onRetry = retryReporter("Failed to return job results.", log);
    const parcel = { url, jobId, body, signal: post.signal, onRetry };
    return deliver(
      this.#client,
      parcel,
      this.#limits(post.budgetMs ?? (isLarge ? largeResultBudgetMs : resultBudgetMs)),
    );
  }

  #limits(budgetMs: number): DeliveryLimits {
    const { postBackOffMs, postBackOffMaxMs, postTimeoutMs, postIdleTimeoutMs } = this.#timing;
    return {
      budgetMs,
      backOffMs: postBackOffMs,
      backOffMaxMs: postBackOffMaxMs,
      timeoutMs: postTimeoutMs,
      idleTimeoutMs: postIdleTimeoutMs,
    };
  }

  #warnOfStream(log: Logger): void {
    if (this.#hasWarnedOfStream) return;
    this.#hasWarnedOfStream = true;
    log.warn("RUNPOD_WEBHOOK_POST_STREAM is not set: streamed output is not posted, only the final result.");
  }
}

function retryReporter(what: string, log: Logger): (detail: string, failures: number) => void {
  return (detail, failures) => log.warn(`${what} | ${detail}, try ${failures}, trying again.`);
}

/** Why a chunk did not arrive, or `undefined` when it did. */
function lossOf(delivery: Delivery, sizeBytes: number): string | undefined {
  if (delivery.kind === "delivered") return undefined;
  if (delivery.kind === "lost") return delivery.detail;
  return delivery.kind === "aborted" ? "the job was stopped" : `HTTP ${delivery.status} for ${sizeBytes} bytes`;
}

function report(delivery: Delivery, log: Logger): void {
  if (delivery.kind === "delivered") log.debug("Results sent.");
  else if (delivery.kind === "gone")
    log.warn(`The platform no longer knows this job (HTTP ${delivery.status}), result dropped.`);
  else if (delivery.kind === "unacceptable") log.error(`Failed to return job results. | HTTP ${delivery.status}`);
  else if (delivery.kind === "lost") log.error(`Failed to return job results. | ${delivery.detail}`);
}

/** The body as UTF-8 JSON; a result that is not JSON becomes an error that says where and why. */
function encodeBody(body: ResultBody, log: Logger): Buffer {
  try {
    return Buffer.from(encodeJson(body));
  } catch (error) {
    const message = errorMessageOf(error);
    log.error(`Error while returning job result. | ${message}`);
    return Buffer.from(JSON.stringify({ error: message, ...(body.stopPod === true && { stopPod: true }) }));
  }
}

function limits(): string {
  return `${DOCUMENTED_ASYNC_LIMIT_BYTES} bytes for /run, ${DOCUMENTED_SYNC_LIMIT_BYTES} bytes for /runsync`;
}

/** Why the platform will never accept this body; `undefined` if it may. */
function refusalIn(delivery: Delivery, isLarge: boolean): string | undefined {
  if (delivery.kind === "unacceptable") return `HTTP ${delivery.status}`;
  return delivery.kind === "lost" && isLarge ? delivery.detail : undefined;
}

function substituteFor(sizeBytes: number, refusal: string, refused: ResultBody): ResultBody {
  const sizes = `(got ${sizeBytes} bytes, documented limit ${limits()})`;
  const error =
    `Cannot deliver the result: the platform refused it with ${refusal} ${sizes}; ` +
    "upload large output to a store and return its URL";
  return { ...bodyOfError(error), ...(refused.stopPod === true && { stopPod: true as const }) };
}
