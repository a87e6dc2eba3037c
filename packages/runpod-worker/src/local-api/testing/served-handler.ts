import runpodSdk from "runpod-sdk";
import type { Handler } from "../../jobs/handler.ts";
import { AdjustableClock } from "../../job-queue/clock.ts";
import { PlatformLogger } from "../../logging/logger.ts";
import { Redactor } from "../../logging/redactor.ts";
import type { JobStatusBody } from "../../protocol/job-status.ts";
import { createProgramExecutor } from "../handler-executor.ts";
import { serveLocalApi, type LocalApiServer, type LocalApiServerOptions } from "../local-api-server.ts";

/** A local API in front of a handler, with an adjustable clock and shortcuts to call it. */
export interface ServedHandler {
  readonly server: LocalApiServer;
  readonly clock: AdjustableClock;
  readonly logLines: string[];
  /** The official npm client; `base` is put between address and endpoint, such as `/v2`. */
  client(base?: string): NonNullable<ReturnType<ReturnType<typeof runpodSdk>["endpoint"]>>;
  readonly call: (
    method: "GET" | "POST",
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<Answer>;
  /** Polls until the job is in this state. */
  untilStatus(id: string, status: string): Promise<JobStatusBody>;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly tookMs: number;
}

export type ServedOptions = Partial<Omit<LocalApiServerOptions, "execute">> & {
  readonly isAggregating?: boolean;
};

const open: LocalApiServer[] = [];

/** Closes every server of `serveHandler`; for `afterEach`. */
export async function closeServedHandlers(): Promise<void> {
  await Promise.all(open.splice(0).map((server) => server.close()));
}

export async function serveHandler<Input = unknown>(
  handler: Handler<Input>,
  options: ServedOptions = {},
): Promise<ServedHandler> {
  const clock = new AdjustableClock();
  const logLines: string[] = [];
  const log = new PlatformLogger({
    writeOut: (text) => void logLines.push(text),
    level: "INFO",
    isJson: false,
    redactor: new Redactor(),
  });
  const program = {
    handler: handler as Handler<never>,
    inputSchema: undefined,
    isAggregating: options.isAggregating ?? false,
    origin: { hostname: "unknown", workerId: "local", redactor: log.redactor },
  };
  const execute = createProgramExecutor({
    program,
    workerId: "local",
    workerLog: log,
    logFor: (job) => log.forJob(job),
  });
  const server = await serveLocalApi({ port: 0, host: "127.0.0.1", clock, ...options, execute });
  open.push(server);
  const call: ServedHandler["call"] = (method, path, body, headers) => callServer(server, method, path, body, headers);
  return {
    server,
    clock,
    logLines,
    client: (base = "") => {
      const endpoint = runpodSdk("any-key", { baseUrl: server.url + base }).endpoint("any-endpoint");
      if (endpoint === null) throw new Error("no endpoint");
      return endpoint;
    },
    call,
    untilStatus: async (id, status) => {
      for (;;) {
        const { body } = await call("GET", `/status/${id}`);
        if (body["status"] === status) return body as unknown as JobStatusBody;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}

async function callServer(
  server: LocalApiServer,
  method: "GET" | "POST",
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const startedMs = performance.now();
  const response = await fetch(server.url + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
    tookMs: performance.now() - startedMs,
  };
}
