import { createHandlerExecutor, serveLocalApi, type LocalApiServer } from "runpod-worker/local-api";
import { createSpeechService } from "../commands/speech-service.ts";
import { loadConfig } from "../config/load.ts";
import type { PlatformLimits } from "../doors/platform-limits.ts";
import { openDoors, type OpenDoorsOptions } from "../doors/mount-doors.ts";
import { Log } from "../logging/logger.ts";
import type { ServingModel } from "../model/load-model.ts";
import { Telemetry } from "../telemetry/telemetry.ts";
import { fakeModel } from "./fake-model.ts";
import { scratchDir } from "./scratch.ts";

export interface ServedDoorsOptions {
  /** Default: a fake one that hums. */
  readonly model?: ServingModel;
  readonly env?: Readonly<Record<string, string>>;
  /** Those of a platform in front of the server. Default: none. */
  readonly limits?: PlatformLimits | null;
  /** Told what the doors use. */
  readonly onOpen?: OpenDoorsOptions["onOpen"];
}

export interface ServedDoors {
  readonly server: LocalApiServer;
  readonly url: string;
  readonly voicesDir: string;
  /** What was logged, one line after the other. */
  readonly log: () => string;
  /** Posts JSON. */
  readonly post: (path: string, body: unknown, init?: PostInit) => Promise<Response>;
}

export interface PostInit {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const open: (() => Promise<void>)[] = [];

/** Closes every server of `serveDoors`; for `afterEach` or `afterAll`. */
export async function closeServedDoors(): Promise<void> {
  await Promise.all(open.splice(0).map((close) => close()));
}

/** The API with all doors, as `higgs serve` has them, on a free port of this machine. */
export async function serveDoors({
  model = fakeModel(),
  env = {},
  limits = null,
  onOpen = () => undefined,
}: ServedDoorsOptions = {}): Promise<ServedDoors> {
  const voicesDir = scratchDir();
  const { config } = loadConfig({ HIGGS_VOICES_DIR: voicesDir, HOME: voicesDir, ...env }, {});
  const lines: string[] = [];
  const logger = new Log({ level: "debug", form: "json", write: (line) => void lines.push(line) });
  const { signal } = new AbortController();
  const service = createSpeechService({
    config,
    logger,
    signal,
    hurry: signal,
    startEngine: async () => model,
    allowDemo: true,
    isWarmedUp: false,
    telemetry: new Telemetry(logger),
  });
  const { doors, onUpgrade } = await openDoors({ config, logger, isDemo: () => service.isDemo(), limits, onOpen });
  const server = await serveLocalApi({
    host: "127.0.0.1",
    port: 0,
    execute: createHandlerExecutor({ handler: service.handler }),
    concurrency: () => service.slots(),
    ready: service.load(),
    apiKey: config.apiKey ?? undefined,
    allowedOrigins: config.corsOrigins,
    rules: { maxQueuedJobs: config.maxQueue },
    doors,
    onUpgrade,
  });
  open.push(async () => {
    await server.close();
    await service[Symbol.asyncDispose]();
  });
  return {
    server,
    url: server.url,
    voicesDir,
    log: () => lines.join("\n"),
    post: (path, body, init = {}) =>
      fetch(server.url + path, {
        method: "POST",
        ...init,
        headers: { "content-type": "application/json", ...init.headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
  };
}
