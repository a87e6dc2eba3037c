import type { Clock } from "../job-queue/clock.ts";
import { statusBodyOf, type JobRecord } from "../job-queue/job-record.ts";

export interface WebhookOptions {
  readonly clock: Clock;
  /** Posts in all, the first one included; the platform makes 3. */
  readonly attempts?: number;
  /** Milliseconds between two posts, of `clock`; 10 s on the platform. */
  readonly retryDelayMs?: number;
  /** Real milliseconds until a post counts as failed. */
  readonly timeoutMs?: number;
  /** Told of each post that failed, and whether another follows. */
  readonly onFailure?: (jobId: string, reason: string, isLast: boolean) => void;
}

/**
 * Posts the status of a job to the address that its client gave, until that answers 200 (spec platform §5.4): 3 times,
 * 10 s apart. Addresses of this machine and its network are allowed, since this runs beside the client.
 */
export class WebhookSender {
  readonly #options: Required<WebhookOptions>;
  readonly #closing = new AbortController();
  readonly #deliveries = new Set<Promise<void>>();

  constructor(options: WebhookOptions) {
    this.#options = { attempts: 3, retryDelayMs: 10_000, timeoutMs: 10_000, onFailure: () => {}, ...options };
  }

  /** Starts the delivery for a job that has just ended, if it has a webhook; later changes of the job do not show. */
  send(record: JobRecord): void {
    const { webhook } = record.request;
    if (webhook === undefined || this.#closing.signal.aborted) return;
    const delivery = this.#deliver(record.id, webhook, JSON.stringify(statusBodyOf(record)));
    this.#deliveries.add(delivery);
    void delivery.finally(() => this.#deliveries.delete(delivery));
  }

  /** Gives deliveries under way up to `graceMs` real milliseconds, then abandons what is left. */
  async close(graceMs = 0): Promise<void> {
    const timer = setTimeout(() => this.#closing.abort(), graceMs);
    await Promise.all(this.#deliveries);
    clearTimeout(timer);
    this.#closing.abort();
  }

  async #deliver(jobId: string, url: string, body: string): Promise<void> {
    const { attempts, retryDelayMs, onFailure } = this.#options;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const failure = await this.#post(url, body);
      if (failure === undefined) return;
      onFailure(jobId, failure, attempt === attempts);
      if (attempt < attempts) await this.#pause(retryDelayMs);
      if (this.#closing.signal.aborted) return;
    }
  }

  /** Returns why the post failed, or undefined. */
  async #post(url: string, body: string): Promise<string | undefined> {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        // The documentation asks for 200; following a redirect could turn the POST into a GET.
        redirect: "manual",
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#options.timeoutMs)]),
      });
      await response.body?.cancel();
      return response.status === 200 ? undefined : `status ${response.status}`;
    } catch (error) {
      return error instanceof Error ? error.name : "network error";
    }
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
