import { Worker } from "node:worker_threads";
import type { Logger } from "../logging/logger.ts";
import { sleep } from "../platform/sleep.ts";
import { REPORTED_VERSION } from "../version.ts";

export interface HeartbeatOptions {
  readonly url: string;
  readonly apiKey: string;
  readonly userAgent: string;
  readonly intervalMs: number;
  readonly log: Logger;
  /** Called when the thread ends without having been stopped. */
  readonly onDeath: (detail: string) => void;
}

/** What the thread writes back. */
interface HeartbeatLine {
  readonly level: "debug" | "error";
  readonly message: string;
}

/** How long the thread may take to end by itself, in milliseconds. */
const END_LIMIT_MS = 5_000;

/**
 * Tells the platform that this worker lives and which jobs it holds. Runs in a thread of its own, so that a handler
 * that blocks the main thread does not silence it, and dies with the process, so that it never speaks for a dead
 * worker. Source: spec platform §3.7 (W69 to W74, W81).
 */
export class Heartbeat {
  readonly #thread: Worker;
  /** Resolves when the thread has ended. */
  readonly #ended: Promise<void>;
  #isStopping = false;

  constructor({ url, apiKey, userAgent, intervalMs, log, onDeath }: HeartbeatOptions) {
    const headers = { Authorization: apiKey, "User-Agent": userAgent, Accept: "*/*" };
    this.#thread = new Worker(new URL("./heartbeat-thread.js", import.meta.url), {
      workerData: { url, headers, reportedVersion: REPORTED_VERSION, intervalMs },
      // Loaders and inspectors of the main thread do not apply here.
      execArgv: [],
    });
    this.#thread.on("message", ({ level, message }: HeartbeatLine) => log[level](message));
    this.#thread.on("error", (error) => this.#died(error instanceof Error ? error.message : String(error), onDeath));
    this.#thread.on("exit", (code) => this.#died(`exit code ${code}`, onDeath));
    this.#ended = new Promise((resolve) => void this.#thread.once("exit", () => resolve()));
  }

  /** Ids of the jobs that the pings carry from now on. */
  setJobs(jobIds: readonly string[]): void {
    this.#thread.postMessage(jobIds, []);
  }

  /**
   * Lets the thread end by itself, and terminates it after five seconds: Node.js may abort the whole
   * process when it terminates a thread that is inside one of its own modules.
   */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#thread.postMessage(null, []);
    const limit = new AbortController();
    await Promise.race([this.#ended, sleep(END_LIMIT_MS, limit.signal)]);
    limit.abort();
    await this.#thread.terminate();
  }

  #died(detail: string, onDeath: (detail: string) => void): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    onDeath(detail);
  }
}
