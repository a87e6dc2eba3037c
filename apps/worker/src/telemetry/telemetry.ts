import type { Logger } from "../logging/logger.ts";
import { Journal } from "./job-journal.ts";
import { Metrics } from "./metrics.ts";
import { recordJob } from "./record-job.ts";
import { snapshotOf } from "./snapshot.ts";

/** What a serving process keeps about itself: metrics, and what became of its jobs. */
export class Telemetry {
  readonly metrics = new Metrics();
  readonly journal: Journal;
  readonly #logger: Logger;
  /** Jobs that wait in a queue of this process. */
  #queueDepth: () => number = () => 0;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.journal = new Journal({ logger, onEnd: (trace, error) => recordJob(this.metrics, trace, error) });
    this.metrics.addSource(() => {
      const { waiting, running } = this.journal.counts;
      return [
        { name: "num_requests_running", value: running },
        { name: "num_requests_waiting", value: waiting + this.#queueDepth() },
        { name: "process_resident_memory_bytes", value: process.memoryUsage.rss(), labels: { process: "main" } },
      ];
    });
  }

  watchQueue(depth: () => number): void {
    this.#queueDepth = depth;
  }

  /** For `/health`: when the model last spoke. */
  get speech(): { readonly spoke_seconds_ago: number | null } {
    const { spokeAtMs } = this.journal;
    return {
      spoke_seconds_ago: spokeAtMs === null ? null : Number(((performance.now() - spokeAtMs) / 1000).toFixed(1)),
    };
  }

  /** For `/health`: how jobs ended since the start. */
  get requests(): Readonly<Record<string, unknown>> {
    const { finished } = this.journal.counts;
    const { counts } = this.journal.failures;
    return { succeeded: finished, failed: counts };
  }

  /** Writes the metrics as one line of the log. */
  async logMetrics(): Promise<void> {
    this.#logger.info("metrics", snapshotOf(await this.metrics.families()));
  }

  /** The same every `intervalMs`, and once more when it is disposed. */
  logRegularly(intervalMs: number): AsyncDisposable {
    const write = () =>
      this.logMetrics().catch((error: unknown) => this.#logger.warn("no metrics", { reason: String(error) }));
    const timer = setInterval(() => void write(), intervalMs);
    timer.unref();
    return {
      [Symbol.asyncDispose]: async () => {
        clearInterval(timer);
        // A worker that is told to end while it starts has nothing to tell.
        if (this.metrics.isOpen) await write();
      },
    };
  }
}
