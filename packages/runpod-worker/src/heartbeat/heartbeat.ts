import { Worker } from "node:worker_threads";
import type { Logger } from "../logging/logger.ts";
import { REPORTED_VERSION } from "../version.ts";

export interface HeartbeatOptions {
  readonly url: string;
  readonly apiKey: string;
  readonly userAgent: string;
  readonly intervalMs: number;
  readonly log: Logger;
  /** Called when the thread ends although nobody stopped it. */
  readonly onDeath: (detail: string) => void;
}

/** What the thread writes back. */
interface HeartbeatLine {
  readonly level: "debug" | "error";
  readonly message: string;
}

/**
 * Tells the platform that this worker lives and which jobs it holds. Runs in a thread of its own, so that a handler
 * that blocks the main thread does not silence it, and dies with the process, so that it never speaks for a dead
 * worker. Source: specification 3.7 (W69 to W74, W81).
 */
export class Heartbeat {
  readonly #thread: Worker;
  #isStopping = false;

  constructor({ url, apiKey, userAgent, intervalMs, log, onDeath }: HeartbeatOptions) {
    const headers = { Authorization: apiKey, "User-Agent": userAgent, Accept: "*/*" };
    this.#thread = new Worker(new URL("./heartbeat-thread.js", import.meta.url), {
      workerData: { url, headers, reportedVersion: REPORTED_VERSION, intervalMs },
      // Loaders and inspectors of the main thread are none of its business.
      execArgv: [],
    });
    this.#thread.on("message", ({ level, message }: HeartbeatLine) => log[level](message));
    this.#thread.on("error", (error) => this.#died(error instanceof Error ? error.message : String(error), onDeath));
    this.#thread.on("exit", (code) => this.#died(`exit code ${code}`, onDeath));
  }

  /** Ids of the jobs that the pings carry from now on. */
  setJobs(jobIds: readonly string[]): void {
    this.#thread.postMessage(jobIds, []);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#thread.terminate();
  }

  #died(detail: string, onDeath: (detail: string) => void): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    onDeath(detail);
  }
}
