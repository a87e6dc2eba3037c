export { createHandlerExecutor, type HandlerExecutorOptions } from "./handler-executor.ts";
export { LocalApi, type LocalApiOptions } from "./local-api.ts";
export { serveLocalApi, type LocalApiServer, type LocalApiServerOptions } from "./local-api-server.ts";
export type { JobExecution, JobExecutor, LogSink, Readiness } from "./local-worker.ts";
export { serveStatus, type StatusServerOptions } from "./status-server.ts";
export type { HostHealth, ServingState } from "../protocol/host-health.ts";
