import type { RunMode } from "./config/run-mode.ts";
import type { WorkerTiming } from "./config/worker-timing.ts";
import type { FitnessCheck } from "./fitness/fitness-checks.ts";
import type { Handler } from "./jobs/handler.ts";
import type { StandardSchema } from "./jobs/standard-schema.ts";
import type { ApiServerSettings } from "./local-api/api-server-mode.ts";
import type { LogLevel } from "./logging/log-level.ts";
import type { LogRecord } from "./logging/logger.ts";
import type { LocalResult } from "./local/local-run.ts";
import type { ConcurrencyModifier } from "./loop/concurrency.ts";
import type { WorkerState } from "./loop/worker-state.ts";
import type { ProcessSurface } from "./process-surface.ts";
import type { StreamOptions } from "./streaming/stream-options.ts";

/** What `start` needs to know; only the handler is required. */
export interface StartOptions<Input = unknown, Output = unknown> {
  readonly handler: Handler<Input, Output>;
  /** Checks and converts each job's input before the handler sees it; any Standard Schema validator. */
  readonly inputSchema?: StandardSchema<Input> | undefined;
  /** Jobs that may run at once: a number, or a function asked before each take. Default 1. */
  readonly concurrency?: number | ConcurrencyModifier | undefined;
  /** True = the final result of a streamed job holds all its chunks. Default false. */
  readonly returnAggregateStream?: boolean | undefined;
  /** How streamed text is joined before it is posted. */
  readonly stream?: StreamOptions | undefined;
  /** True = the worker is replaced after its first job. Default false. */
  readonly refreshWorker?: boolean | undefined;
  /** Checks in addition to those of `registerFitnessCheck`, run after them. */
  readonly fitnessChecks?: readonly FitnessCheck[] | undefined;
  /**
   * What to do when a check fails: `exit` (the default) reports it and exits with 1; `answer` reports it and then fails
   * every job with what the check threw, for a fault that a restart would not fix and a crash loop would hide;
   * `handle` reports it and runs the handler anyway, for one that knows what it can still do and reports the rest itself.
   */
  readonly onUnfit?: "exit" | "answer" | "handle" | undefined;
  /**
   * Milliseconds that running jobs get to finish after SIGTERM or SIGINT before they fail. Default ten minutes: a job
   * cut off by the platform is queued again, a failed one is not. `RUNPOD_SHUTDOWN_GRACE_MS` takes precedence.
   */
  readonly shutdownGraceMs?: number | undefined;
  /** Milliseconds after which a stopped job's handler that still runs makes the process exit. Default: no limit. */
  readonly stopTimeoutMs?: number | undefined;
  /** Settings of the local API server (`--rp_serve_api`) that have no flag. */
  readonly api?: ApiServerSettings | undefined;
  /** Called with every change of the production worker's state. */
  readonly onStateChange?: ((state: WorkerState) => void) | undefined;
  /** Called once with the result of a local run (`--test_input`), in addition to the log lines. */
  readonly onLocalResult?: ((result: LocalResult) => void) | undefined;
  /** What is logged. Default: as `--rp_log_level` and the environment say (`readLogLevel`). */
  readonly logLevel?: LogLevel | undefined;
  /** Gets every log record, the banner included. Default: lines on standard output in the platform's form. */
  readonly onLogRecord?: ((record: LogRecord) => void) | undefined;
  /** What to do. Default: as flags and environment say (`readRunMode`). */
  readonly mode?: RunMode | undefined;
  /** Arguments, environment, output and exit of the process. Default: the real ones. */
  readonly surface?: ProcessSurface | undefined;
  /** Waits and limits that differ from the defaults; meant for tests. */
  readonly timing?: Partial<WorkerTiming> | undefined;
}
