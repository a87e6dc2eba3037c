export { JobError, type JobErrorOptions, RunpodWorkerError, type RunpodWorkerErrorCode } from "./errors.ts";
export {
  type ApiServerMode,
  hasQueue,
  type LocalMode,
  type ProductionMode,
  readLogLevel,
  readRunMode,
  type RunMode,
} from "./config/run-mode.ts";
export { type FitnessCheck, registerFitnessCheck } from "./fitness/fitness-checks.ts";
export { modelFilesCheck, type RequiredFile } from "./fitness/model-files-check.ts";
export type { Handler, HandlerReturn, JobContext } from "./jobs/handler.ts";
export { API_ERRORS, type ApiErrorCode, type ApiErrorDefinition, type JobFailure } from "./protocol/api-errors.ts";
export type { HostHealth, ServingState } from "./protocol/host-health.ts";
export type { Job, S3Config } from "./protocol/job.ts";
export type { ExecutionPolicy } from "./protocol/run-request.ts";
export type { StandardSchema } from "./jobs/standard-schema.ts";
export type { ApiServerSettings } from "./local-api/api-server-mode.ts";
export type { LocalResult } from "./local/local-run.ts";
export type { LogLevel } from "./logging/log-level.ts";
export type { Logger, LogRecord } from "./logging/logger.ts";
export type { ConcurrencyModifier } from "./loop/concurrency.ts";
export type { WorkerState } from "./loop/worker-state.ts";
export { nodeProcessSurface, type ProcessSurface, type ShutdownSignal } from "./process-surface.ts";
export type { CoalesceRule, StreamOptions } from "./streaming/stream-options.ts";
export type { WorkerTiming } from "./config/worker-timing.ts";
export { start } from "./start.ts";
export type { StartOptions } from "./start-options.ts";
export { PACKAGE_VERSION, PROTOCOL_VERSION } from "./version.ts";
