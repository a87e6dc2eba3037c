import { Hono } from "hono";
import { AdjustableClock } from "../job-queue/clock.ts";
import type { JobQueue } from "../job-queue/job-queue.ts";
import type { SubmitOptions } from "../job-queue/submission.ts";
import { statusBodyOf, type JobRecord } from "../job-queue/job-record.ts";
import type { QueueRules } from "../job-queue/queue-rules.ts";
import { isLoopbackHost } from "../network/public-address.ts";
import { isFinalStatus, type JobStatusBody } from "../protocol/job-status.ts";
import type { RunRequest } from "../protocol/run-request.ts";
import { listenHttp, type HttpServer } from "../public-api/http-server.ts";
import { createPublicRoutes } from "../public-api/public-routes.ts";
import type { PolicyBounds } from "../public-api/run-request-parser.ts";
import { WebhookSender, type WebhookOptions } from "../public-api/webhook-sender.ts";
import { Autoscaler, type ScalingOptions } from "./autoscaler.ts";
import { CONTROL_PREFIX, createControlRoutes } from "./control-routes.ts";
import { EmulatedPlatform, type PostTotals } from "./emulated-platform.ts";
import { DEFAULT_EMULATOR_RULES, DEFAULT_WAIT_MS, type EmulatorRules } from "./emulator-rules.ts";
import type { EmulatorParts } from "./emulator-parts.ts";
import { createEmulatorFetch } from "./emulator-server.ts";
import { ExchangeLog } from "./exchange-log.ts";
import { Faults } from "./faults.ts";
import { environmentOf, type Preset } from "./presets.ts";
import { parseTarget } from "./request-target.ts";
import type { Violations } from "./violations.ts";
import { WorkerFleet, type SpawnOptions } from "./worker-fleet.ts";
import type { WorkerCommand, WorkerProcess } from "./worker-process.ts";
import type { WorkerRegistry } from "./worker-registry.ts";
import { createWorkerRoutes, type EmulatorEnvironment } from "./worker-routes.ts";

export interface EmulatorOptions {
  /** The address to bind. Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** The only endpoint. Default `emulated`. */
  readonly endpointId?: string;
  /** The raw key that workers must send; null requires none, as in the Hub's tests. */
  readonly workerKey?: string | null;
  /** The key that clients and controls must send. Default: none is required. */
  readonly apiKey?: string | undefined;
  readonly rules?: Partial<EmulatorRules>;
  readonly queueRules?: Partial<QueueRules>;
  readonly policyBounds?: PolicyBounds;
  readonly webhooks?: Omit<WebhookOptions, "clock">;
  readonly clock?: AdjustableClock;
  /** Makes random faults repeatable. Default 1. */
  readonly seed?: number;
  /** Requests that the record keeps. Default 100 000. */
  readonly recordLimit?: number;
  /** Characters that the record keeps of a body. Default 1 MiB. */
  readonly recordedBodyLimit?: number;
  /** Approximate bytes that the whole record may take; the oldest requests are dropped first. Default 256 MiB. */
  readonly recordLimitBytes?: number;
}

const DEFAULT_WORKER_KEY = "emulator-worker-key";
const DEFAULT_RECORD_LIMIT = 100_000;
const DEFAULT_BODY_LIMIT = 1024 * 1024;
const DEFAULT_RECORD_LIMIT_BYTES = 256 * 1024 * 1024;

/**
 * RunPod's platform on this machine (spec platform §12), for tests of any worker in any language: a queue with the
 * public API on one side and the routes of workers on the other, and controls for everything that can go wrong.
 */
export class Emulator implements EmulatorParts {
  readonly platform: EmulatedPlatform;
  readonly clock: AdjustableClock;
  /** The record of all requests. */
  readonly requests: ExchangeLog;
  readonly faults: Faults;
  /** The worker processes that were started here. */
  readonly fleet: WorkerFleet;
  readonly endpointId: string;
  readonly #workerKey: string | undefined;
  readonly #webhooks: WebhookSender;
  readonly #options: EmulatorOptions;
  readonly #scalers: Autoscaler[] = [];
  #server: HttpServer | undefined;

  /** Use `startEmulator`, which also opens the port. */
  constructor(options: EmulatorOptions) {
    this.#options = options;
    this.endpointId = options.endpointId ?? "emulated";
    this.#workerKey = options.workerKey === null ? undefined : (options.workerKey ?? DEFAULT_WORKER_KEY);
    this.clock = options.clock ?? new AdjustableClock();
    const rules = { ...DEFAULT_EMULATOR_RULES, ...options.rules };
    this.platform = new EmulatedPlatform(this.clock, options.queueRules ?? {}, rules);
    this.requests = new ExchangeLog({
      limit: options.recordLimit ?? DEFAULT_RECORD_LIMIT,
      bodyLimit: options.recordedBodyLimit ?? DEFAULT_BODY_LIMIT,
      limitBytes: options.recordLimitBytes ?? DEFAULT_RECORD_LIMIT_BYTES,
    });
    this.faults = new Faults(options.seed ?? 1);
    this.fleet = new WorkerFleet(this.platform, (preset, podId) => this.environment({ preset, podId }));
    this.#webhooks = new WebhookSender({
      ...options.webhooks,
      allowsPrivate: this.#allowsPrivateWebhooks,
      clock: this.clock,
    });
    this.platform.queue.on("final", (record) => this.#webhooks.send(record));
  }

  /** Without a slash at the end. */
  get url(): string {
    if (this.#server === undefined) throw new Error("Cannot get the address: the emulator is not listening");
    return this.#server.url;
  }

  get #host(): string {
    return this.#options.host ?? "127.0.0.1";
  }

  /** As for the local API: only a server bound to loopback may be made to call this machine. */
  get #allowsPrivateWebhooks(): boolean {
    return this.#options.webhooks?.allowsPrivate ?? isLoopbackHost(this.#host);
  }

  get queue(): JobQueue {
    return this.platform.queue;
  }

  get workers(): WorkerRegistry {
    return this.platform.workers;
  }

  get violations(): Violations {
    return this.platform.violations;
  }

  get totals(): PostTotals {
    return this.platform.totals;
  }

  /**
   * Opens the port.
   *
   * @throws {Error} from Node's `listen`, such as EADDRINUSE
   */
  async listen(): Promise<void> {
    const fetch = createEmulatorFetch({
      app: this.#createApp(),
      log: this.requests,
      faults: this.faults,
      isControl: (target) => target.startsWith(CONTROL_PREFIX),
    });
    this.#server = await listenHttp({ fetch, host: this.#host, port: this.#options.port ?? 0 });
  }

  /** The environment variables that connect a worker to this emulator. */
  environment(options: { readonly preset?: Preset; readonly podId?: string } = {}): Record<string, string> {
    return environmentOf(options.preset ?? "production", {
      baseUrl: this.url,
      endpointId: this.endpointId,
      podId: options.podId ?? "emulated-worker",
      workerKey: this.#workerKey ?? "",
      pingIntervalMs: this.platform.rules.pingIntervalMs,
    });
  }

  /** Queues a job as a client would, but without limits. `id` and `extraFields` are for tests. */
  submit(request: RunRequest, options: SubmitOptions = {}): JobRecord {
    return this.queue.submit(request, options);
  }

  /**
   * Waits for the end of a job, up to `timeoutMs` of real time.
   *
   * @throws {Error} when the time is up or the job is unknown or deleted
   */
  async result(job: JobRecord | string, timeoutMs = DEFAULT_WAIT_MS): Promise<JobStatusBody> {
    const record = typeof job === "string" ? this.queue.get(job) : job;
    if (record === undefined) throw new Error("Cannot wait for the job: it is unknown");
    const limit = AbortSignal.timeout(timeoutMs);
    const isDone = ({ status }: JobRecord): boolean => isFinalStatus(status);
    await this.queue.waitUntil(record, isDone, { timeoutMs: Number.MAX_SAFE_INTEGER, signal: limit });
    if (isDone(record)) return statusBodyOf(record);
    throw new Error(`Cannot wait longer for the job: it is ${record.status} (limit ${timeoutMs} ms)`);
  }

  /** Sends job ids on a worker's stop channel, even ids it does not hold. */
  sendStop(workerId: string, jobIds: readonly string[]): void {
    this.workers.requestStop(workerId, jobIds);
  }

  /** Delivers a job again to the worker that has or had it. */
  deliverAgain(record: JobRecord, workerId = record.workerId): void {
    if (workerId === undefined) throw new Error("Cannot deliver the job again: no worker has had it");
    if (record.isInputDropped) throw new Error("Cannot deliver the job again: its input was dropped when it ended");
    this.platform.noteDuplicates([record]);
    this.workers.deliverAgain(workerId, record);
  }

  /** Starts one worker, which stays until it is stopped. */
  spawn(command: WorkerCommand, options: SpawnOptions = {}): WorkerProcess {
    return this.fleet.spawn(command, options);
  }

  /** Starts and stops workers according to the queue, as the platform does. */
  autoscale(command: WorkerCommand, options: ScalingOptions = {}): Autoscaler {
    const scaler = new Autoscaler(this.platform, this.fleet, command, options);
    this.#scalers.push(scaler);
    return scaler;
  }

  /** Closes the port and breaks all connections, as when the platform cannot be reached. */
  async goAway(): Promise<void> {
    await this.#server?.suspend();
  }

  /** Ends `goAway`. */
  async comeBack(): Promise<void> {
    await this.#server?.resume();
  }

  /** Kills the workers that were started here, ends all held requests and closes the port. */
  async close(): Promise<void> {
    for (const scaler of this.#scalers) scaler.stop();
    await this.fleet.destroy();
    this.faults.clear();
    this.platform.close();
    await this.#webhooks.close();
    await this.#server?.close();
  }

  #createApp(): Hono<EmulatorEnvironment> {
    const app = new Hono<EmulatorEnvironment>({ getPath: ({ url }) => parseTarget(pathAndQueryOf(url)).path });
    const { platform, endpointId } = this;
    const { apiKey, policyBounds } = this.#options;
    const access = { apiKey, isLoopbackOnly: isLoopbackHost(this.#host) };
    app.route("/", createWorkerRoutes({ platform, endpointId, workerKey: this.#workerKey }));
    app.route("/", createControlRoutes(this, access));
    const publicRoutes = createPublicRoutes({
      queue: platform.queue,
      workerCounts: () => platform.workerCounts(),
      endpointId,
      ...access,
      allowsPrivateWebhooks: this.#allowsPrivateWebhooks,
      // Tests in any language post here, with any content type.
      requiresJsonType: false,
      policyBounds,
    });
    app.route("/", publicRoutes);
    return app;
  }
}

function pathAndQueryOf(url: string): string {
  return url.slice(url.indexOf("/", url.indexOf("//") + 2));
}

/** Starts an emulator on a port of its own. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = new Emulator(options);
  await emulator.listen();
  return emulator;
}
