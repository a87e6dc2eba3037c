import type { Hono } from "hono";
import type { Clock } from "../job-queue/clock.ts";
import { JobQueue } from "../job-queue/job-queue.ts";
import type { QueueRules } from "../job-queue/queue-rules.ts";
import { apiFailure } from "../protocol/api-errors.ts";
import type { HttpEnvironment } from "../public-api/http-environment.ts";
import { createPublicRoutes, syncBodyRules, type PublicRoutesOptions } from "../public-api/public-routes.ts";
import { WebhookSender, type WebhookOptions } from "../public-api/webhook-sender.ts";
import { LocalWorker, type JobExecutor, type LogSink, type Readiness } from "./local-worker.ts";
import { answerRealtime } from "./realtime-route.ts";

export interface LocalApiOptions extends Pick<
  PublicRoutesOptions,
  | "apiKey"
  | "isLoopbackOnly"
  | "about"
  | "runLimitBytes"
  | "runSyncLimitBytes"
  | "streamHoldMs"
  | "policyBounds"
  | "unknownJobAnswer"
> {
  /** Runs one job; `createHandlerExecutor` makes one from a handler. */
  readonly execute: JobExecutor;
  /** Jobs that run at the same time; a function is asked before each take. Default 1. */
  readonly concurrency?: number | (() => number);
  /** Settles when what the handler needs is loaded. Until then jobs wait, and `/ping` answers 204. */
  readonly ready?: Promise<unknown>;
  /** Shown as `workerId`. */
  readonly workerId?: string;
  /** Adds `POST /{endpointId}/realtime`, as `RUNPOD_ENDPOINT_ID` does in the Python SDK. */
  readonly realtimeEndpointId?: string | undefined;
  /** Limits and times of the queue. Default: the documented ones. */
  readonly rules?: Partial<QueueRules>;
  readonly webhooks?: Omit<WebhookOptions, "clock" | "onFailure">;
  readonly clock?: Clock;
  readonly log?: LogSink;
}

/** Statuses of `/ping` by readiness (spec platform §8.1 and §8.4). */
const PING_STATUS: Readonly<Record<Readiness, 200 | 204 | 503>> = {
  loading: 204,
  ready: 200,
  failed: 503,
  draining: 503,
};

/**
 * RunPod's public API in front of a handler of this process (spec platform §5.6): a queue, a worker that takes from it,
 * and the routes. `app` can stand alone or be mounted behind your own routes.
 */
export class LocalApi {
  readonly app: Hono<HttpEnvironment>;
  readonly queue: JobQueue;
  readonly #worker: LocalWorker;
  readonly #webhooks: WebhookSender;

  constructor(options: LocalApiOptions) {
    const { log } = options;
    this.queue = new JobQueue({ clock: options.clock, rules: options.rules });
    this.#worker = new LocalWorker({ ...options, queue: this.queue });
    this.#webhooks = new WebhookSender({
      ...options.webhooks,
      clock: this.queue.clock,
      onFailure: (jobId, reason, isLast) => {
        log?.("warn", `Webhook failed (${reason})${isLast ? ", giving up." : ", trying again."}`, jobId);
      },
    });
    this.queue.on("final", (record) => this.#webhooks.send(record));
    this.app = this.#createApp(options);
    this.#openWhenReady(options);
  }

  /** What `/ping` and `/health` show. */
  get readiness(): Readiness {
    return this.#worker.readiness;
  }

  /** Lets running jobs finish for up to `graceMs`, fails the rest, and ends all held requests. */
  async close(graceMs = 0): Promise<void> {
    this.queue.drain();
    await this.#worker.close(graceMs);
    for (const { id, status } of this.queue.records()) {
      if (status === "IN_QUEUE")
        this.queue.finish(id, { error: SHUT_DOWN_ERROR }, { failure: apiFailure("SHUTTING_DOWN") });
    }
    this.queue.close();
    await this.#webhooks.close(Math.min(graceMs, WEBHOOK_GRACE_MS));
  }

  #createApp(options: LocalApiOptions): Hono<HttpEnvironment> {
    const { realtimeEndpointId } = options;
    const routes: PublicRoutesOptions = {
      ...options,
      queue: this.queue,
      workerCounts: () => this.#worker.counts(),
      allowsPrivateWebhooks: options.webhooks?.allowsPrivate ?? false,
      status: () => this.readiness,
      openRoutes: { "/ping": (context) => context.body(null, PING_STATUS[this.readiness]) },
    };
    const app = createPublicRoutes(routes);
    app.get("/", (context) => context.json({ name: "RunPod local API", ...options.about?.(), status: this.readiness }));
    if (realtimeEndpointId !== undefined) {
      const path = `/${realtimeEndpointId}/realtime`;
      app.post(path, (context) => answerRealtime(context, this.queue, syncBodyRules(routes)));
    }
    return app;
  }

  #openWhenReady(options: LocalApiOptions): void {
    if (options.ready === undefined) {
      this.#worker.open("ready");
      return;
    }
    options.ready.then(
      () => this.#worker.open("ready"),
      () => {
        // Jobs still reach the executor, which fails them with the reason.
        options.log?.("error", "The worker could not get ready.");
        this.#worker.open("failed");
      },
    );
  }
}

const SHUT_DOWN_ERROR = "SHUTTING_DOWN: Cannot run the job: the server shut down before it was run; send it again";

/** How long webhook posts under way at the end may take, in milliseconds. */
const WEBHOOK_GRACE_MS = 2000;
