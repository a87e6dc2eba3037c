import { ReleaseStack } from "@higgs-worker/base";
import type { HostHealth } from "runpod-worker";
import type { LocalApi, StatusServerOptions } from "runpod-worker/local-api";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import { CheckBoard } from "../telemetry/check-board.ts";
import { deviceCheck, engineSource } from "../telemetry/engine-checks.ts";
import { diskCheck, storeCheck, volumeCheck } from "../telemetry/storage-checks.ts";
import { otlpUrl, pushMetrics } from "../telemetry/otlp.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { VERSION } from "../version.ts";
import type { SpeechService } from "./speech-service.ts";

export interface SelfReportOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly service: SpeechService;
  readonly telemetry: Telemetry;
}

/** Often enough for a load balancer, seldom enough for a store that counts requests. */
const CHECK_INTERVAL_MS = 30_000;
const LOG_INTERVAL_MS = 60_000;
/** One answer may be late; an engine that gives none twice is stuck, and jobs would wait for it. */
const STUCK_AFTER = 2;

/** A Hono app; the runtime has it. */
type App = Parameters<StatusServerOptions["mount"]>[0];

/** What a serving process says about itself, by HTTP, in the log and to a collector. */
export class SelfReport implements AsyncDisposable {
  readonly #options: SelfReportOptions;
  readonly #board: CheckBoard;
  readonly #ends = new ReleaseStack();
  #isDraining = false;
  #isEnded = false;

  constructor(options: SelfReportOptions) {
    const { config, service, telemetry } = options;
    const loaded = () => service.loaded();
    this.#options = options;
    this.#board = new CheckBoard([deviceCheck(loaded), volumeCheck(config), storeCheck(config), diskCheck(config)]);
    telemetry.metrics.addSource(engineSource(loaded, VERSION));
    telemetry.metrics.addSource(() => [
      { name: "ready", value: Number(["ready", "degraded"].includes(this.health().state)) },
      ...this.#board.samples(),
      ...diskSamples(this.#board),
    ]);
  }

  /**
   * Begins to make the checks, and makes them again when the model is loaded or cannot be. Only then is the library for
   * metrics loaded, so that it does not delay the first job.
   */
  start(ready: Promise<unknown>): void {
    const { telemetry, logger } = this.#options;
    this.#board.start(CHECK_INTERVAL_MS);
    const goOn = async (): Promise<void> => {
      await ready.catch(() => undefined);
      await Promise.all([telemetry.metrics.open(), this.#board.refresh(), this.#push()]);
    };
    goOn().catch((error: unknown) => logger.error("the metrics cannot be kept", { reason: String(error) }));
  }

  /** Sends the metrics to the collector of the settings, if there is one. */
  async #push(): Promise<void> {
    const { config, logger, telemetry } = this.#options;
    const url = otlpUrl(config);
    if (url === null) return;
    const pushing = await pushMetrics(url, { config, logger, metrics: telemetry.metrics, version: VERSION });
    // It may have ended meanwhile.
    if (this.#isEnded) await pushing[Symbol.asyncDispose]();
    else this.#ends.push(async () => pushing[Symbol.asyncDispose]());
  }

  /** Serves what `mount` adds, and the probes, on a port of its own; for a worker that has no other. */
  async listen(): Promise<void> {
    const { config, logger } = this.#options;
    const { metricsPort: port, metricsHost: host, apiKey } = config;
    if (port === 0) return;
    // Only a worker that serves needs an HTTP framework.
    const { serveStatus } = await import("runpod-worker/local-api");
    try {
      const server = await serveStatus({
        host,
        port,
        apiKey: apiKey ?? undefined,
        state: () => (this.#isDraining ? "draining" : this.health().state),
        health: () => this.health(),
        about: () => this.about(),
        mount: (app) => this.mount(app),
      });
      logger.info("metrics are served", { address: server.url });
      this.#ends.push(async () => server.close());
    } catch (error) {
      // Jobs matter more.
      logger.error("the metrics port cannot be opened", { host, port, reason: String(error) });
    }
  }

  /** Writes the metrics into the log every minute, and once at the end. */
  logMetrics(): void {
    const logging = this.#options.telemetry.logRegularly(LOG_INTERVAL_MS);
    this.#ends.push(async () => logging[Symbol.asyncDispose]());
  }

  /** From now on the worker takes no more jobs. */
  drain(): void {
    this.#isDraining = true;
  }

  health(): HostHealth {
    const { service, telemetry } = this.#options;
    const { status, reason } = service.health();
    const model = { ok: status === "ready", status, ...(reason !== null && { reason }), ...telemetry.speech };
    const { reports } = this.#board;
    return { state: stateOf(status, reports), checks: { model, ...reports } };
  }

  about(): Readonly<Record<string, unknown>> {
    const { service, telemetry } = this.#options;
    return { ...service.about(), requests: telemetry.requests };
  }

  /** Adds the routes that need the key. */
  mount(app: App): void {
    const { telemetry } = this.#options;
    app.get("/metrics", async (context) => {
      const { text, contentType } = await telemetry.metrics.expose();
      return context.body(text, 200, { "content-type": contentType, "cache-control": "no-store" });
    });
    app.get("/debug/failures", (context) => {
      context.header("cache-control", "no-store");
      return context.json({ counts: telemetry.journal.failures.counts, failures: telemetry.journal.failures.last });
    });
  }

  /** The same for the server of `higgs serve`, whose queue is watched too. */
  attach({ app, queue }: LocalApi): void {
    this.mount(app);
    this.#options.telemetry.watchQueue(() => queue.counts.inQueue);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    this.#board[Symbol.dispose]();
    await this.#ends.releaseAll();
  }
}

type Reports = CheckBoard["reports"];

function stateOf(status: ReturnType<SpeechService["health"]>["status"], reports: Reports): HostHealth["state"] {
  if (status !== "ready") return status;
  if ((reports["device"]?.failures_in_a_row ?? 0) >= STUCK_AFTER) return "failed";
  return Object.values(reports).some(({ ok }) => ok === false) ? "degraded" : "ready";
}

function diskSamples({ reports }: CheckBoard) {
  const { free_bytes: free } = (reports["disk"] ?? {}) as { free_bytes?: Readonly<Record<string, number>> };
  return Object.entries(free ?? {}).map(
    ([folder, value]) => ({ name: "disk_free_bytes", value, labels: { folder } }) as const,
  );
}
