import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { ByteBudget } from "../job-queue/byte-budget.ts";
import type { Clock } from "../job-queue/clock.ts";
import { statusBodyOf, type JobRecord } from "../job-queue/job-record.ts";
import { isPublicTarget, PrivateAddressError, publicLookup } from "../network/public-lookup.ts";

export interface WebhookOptions {
  readonly clock: Clock;
  /** Attempts in total; 3 on the platform. */
  readonly attempts?: number;
  /** Milliseconds between two posts, of `clock`; 10 s on the platform. */
  readonly retryDelayMs?: number;
  /** Real milliseconds until a post counts as failed. */
  readonly timeoutMs?: number;
  /**
   * True also posts to this machine and its network: right for a server that only this machine's user can reach. Default
   * false: clients choose the addresses and must not reach through them what they cannot reach themselves.
   */
  readonly allowsPrivate?: boolean;
  /** Bytes of all posts waiting for another attempt; more are given up. Default 64 MiB. */
  readonly maxPendingBytes?: number;
  /** Called for each failed post; `isLast` if no other follows. */
  readonly onFailure?: (jobId: string, reason: string, isLast: boolean) => void;
}

/**
 * Posts the status of a job to its client's webhook until that answers 200 (spec platform §5.4): 3 times,
 * 10 s apart.
 */
export class WebhookSender {
  readonly #options: Required<WebhookOptions>;
  readonly #closing = new AbortController();
  readonly #deliveries = new Set<Promise<void>>();
  readonly #pending: ByteBudget;

  constructor(options: WebhookOptions) {
    this.#options = {
      attempts: 3,
      retryDelayMs: 10_000,
      timeoutMs: 10_000,
      allowsPrivate: false,
      maxPendingBytes: 64 * 1024 * 1024,
      onFailure: () => {},
      ...options,
    };
    this.#pending = new ByteBudget(this.#options.maxPendingBytes);
  }

  /** Starts the delivery for a job that has just ended, if it has a webhook; later changes of the job are not sent. */
  send(record: JobRecord): void {
    const { webhook } = record.request;
    if (webhook === undefined || this.#closing.signal.aborted) return;
    const body = Buffer.from(JSON.stringify(statusBodyOf(record)));
    if (!this.#pending.hasRoomFor(body.length)) {
      this.#options.onFailure(
        record.id,
        `too much data is waiting to be posted, limit ${this.#pending.limitBytes} bytes`,
        true,
      );
      return;
    }
    this.#pending.add(body.length);
    const delivery = this.#deliver(record.id, new URL(webhook), body);
    this.#deliveries.add(delivery);
    void delivery.finally(() => {
      this.#pending.remove(body.length);
      this.#deliveries.delete(delivery);
    });
  }

  /** Gives deliveries under way up to `graceMs` real milliseconds, then abandons the rest. */
  async close(graceMs = 0): Promise<void> {
    const timer = setTimeout(() => this.#closing.abort(), graceMs);
    await Promise.all(this.#deliveries);
    clearTimeout(timer);
    this.#closing.abort();
  }

  async #deliver(jobId: string, url: URL, body: Buffer): Promise<void> {
    const { attempts, retryDelayMs, onFailure } = this.#options;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const failure = await this.#post(url, body);
      if (failure === undefined) return;
      const isLast = attempt === attempts || failure.isPermanent;
      onFailure(jobId, failure.reason, isLast);
      if (isLast) return;
      await this.#pause(retryDelayMs);
      if (this.#closing.signal.aborted) return;
    }
  }

  /** Returns why the post failed, or undefined. */
  async #post(url: URL, body: Buffer): Promise<PostFailure | undefined> {
    try {
      const { statusCode = 0 } = await this.#send(url, body);
      // The documentation requires 200; following a redirect could turn the POST into a GET.
      return statusCode === 200 ? undefined : { reason: `status ${statusCode}`, isPermanent: false };
    } catch (error) {
      const isPermanent = error instanceof PrivateAddressError;
      return { reason: isPermanent ? error.message : reasonOf(error), isPermanent };
    }
  }

  #send(url: URL, body: Buffer): Promise<IncomingMessage> {
    const { allowsPrivate, timeoutMs } = this.#options;
    if (!allowsPrivate && !isPublicTarget(url)) return Promise.reject(new PrivateAddressError());
    const request = url.protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const post = request(url, {
        method: "POST",
        headers: { "content-type": "application/json", "content-length": body.length },
        // A fresh connection, to an address that was just checked.
        agent: false,
        lookup: allowsPrivate ? undefined : publicLookup,
        signal: this.#closing.signal,
      });
      // Not by AbortSignal.any() with AbortSignal.timeout(): Node 20 collects the latter, and then it never fires.
      const timer = setTimeout(() => post.destroy(new DOMException("no answer in time", "TimeoutError")), timeoutMs);
      post
        .on("close", () => clearTimeout(timer))
        .on("response", (response) => {
          response.destroy();
          resolve(response);
        })
        .on("error", reject)
        .end(body);
    });
  }

  #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        signal.removeEventListener("abort", finish);
        resolve();
      };
      const timer = this.#options.clock.after(milliseconds, finish);
      signal.addEventListener("abort", finish);
    });
  }
}

interface PostFailure {
  readonly reason: string;
  /** True if another attempt would fail the same way. */
  readonly isPermanent: boolean;
}

/** A word for a failed connection; never the address. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "network error";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
