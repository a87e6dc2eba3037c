import type { Hono } from "hono";
import type { Clock } from "../job-queue/clock.ts";
import { JobQueue } from "../job-queue/job-queue.ts";
import type { QueueRules } from "../job-queue/queue-rules.ts";
import { apiFailure } from "../protocol/api-errors.ts";
import type { HostHealth, ServingState } from "../protocol/host-health.ts";
import type { AccessRules } from "../public-api/access.ts";
import type { HttpEnvironment } from "../public-api/http-environment.ts";
import { type Handle, probeRoutes } from "../public-api/guarded-app.ts";
import { createPublicRoutes, syncBodyRules, type PublicRoutesOptions } from "../public-api/public-routes.ts";
import { WebhookSender, type WebhookOptions } from "../public-api/webhook-sender.ts";
import { InProcessJobs } from "./in-process-jobs.ts";
import { LocalWorker, type JobExecutor, type LogSink } from "./local-worker.ts";
import { answerRealtime } from "./realtime-route.ts";

export interface LocalApiOptions extends Pick<
  PublicRoutesOptions,
  | "apiKey"
  | "isLoopbackOnly"
  | "allowedOrigins"
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
  /** What the host knows of its own state after that, for `/ping`, `/ready` and `/health`. Default: it stays ready. */
  readonly health?: (() => HostHealth) | undefined;
  /** Adds routes of the host's own to `api.app`; they need the key. Called once, when the API exists. */
  readonly mount?: ((api: LocalApi) => void) | undefined;
  /** Shown as `workerId`. */
  readonly workerId?: string;
  /** Adds `POST /{endpointId}/realtime`, as `RUNPOD_ENDPOINT_ID` does in the Python SDK. */
  readonly realtimeEndpointId?: string | undefined;
  /** Limits and times of the queue. Default: the documented ones. */
  readonly rules?: Partial<QueueRules>;
  readonly webhooks?: Omit<WebhookOptions, "clock" | "onFailure">;
  readonly clock?: Clock;
  readonly log?: LogSink;
  /** A path that is answered as `/ping` is, which always exists too. */
  readonly healthPath?: string | undefined;
  /**
   * Routes of your own beside RunPod's, and before them. Each app asks for the key itself, with the rules of the host, and
   * answers refusals in its own form.
   */
  readonly doors?: ((host: DoorHost) => readonly Hono<HttpEnvironment>[]) | undefined;
}

/** What routes of your own get from the server that they are part of. */
export interface DoorHost {
  readonly jobs: InProcessJobs;
  readonly queue: JobQueue;
  readonly access: AccessRules;
  readonly state: () => ServingState;
}

/**
 * RunPod's public API in front of a handler of this process (spec platform §5.6): a queue, a worker that takes from it,
 * and the routes. `app` can stand alone or be mounted behind your own routes.
 */
export class LocalApi {
  readonly app: Hono<HttpEnvironment>;
  readonly queue: JobQueue;
  /** For routes and protocols of your own. */
  readonly doorHost: DoorHost;
  /** The routes of health checks, which need no key. */
  readonly probes: Readonly<Record<string, Handle>>;
  readonly #worker: LocalWorker;
  readonly #webhooks: WebhookSender;
  readonly #health: LocalApiOptions["health"];

  constructor(options: LocalApiOptions) {
    const { log } = options;
    this.#health = options.health;
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
    const { queue } = this;
    this.doorHost = { queue, jobs: new InProcessJobs(queue), access: options, state: () => this.state };
    this.probes = probeRoutes(options, () => this.state, options);
    this.app = this.#createApp(options);
    options.mount?.(this);
    this.#openWhenReady(options);
  }

  /** What `/ping`, `/ready` and `/health` show. */
  get state(): ServingState {
    const { readiness } = this.#worker;
    return readiness === "ready" ? (this.#health?.().state ?? "ready") : readiness;
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
    const { realtimeEndpointId, doors } = options;
    const { queue } = this;
    const routes: PublicRoutesOptions = {
      ...options,
      doors: doors?.(this.doorHost) ?? [],
      queue,
      workerCounts: () => this.#worker.counts(this.state),
      allowsPrivateWebhooks: options.webhooks?.allowsPrivate ?? false,
      status: () => this.state,
      checks: () => options.health?.().checks,
      openRoutes: this.probes,
    };
    const app = createPublicRoutes(routes);
    app.get("/", (context) => context.json({ name: "RunPod local API", ...options.about?.(), status: this.state }));
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
