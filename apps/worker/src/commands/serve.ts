import { isLoopbackHost } from "runpod-worker/network";
import type { SettingFlags } from "../config/load.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { openServingContext } from "./command-context.ts";
import { levelOf } from "./runtime-log.ts";
import { portOf, serveApi, WORKER_PARTS, type WorkerParts } from "./worker.ts";

export interface ServeArgs {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: string;
  readonly settings: SettingFlags;
}

/** `higgs serve`: RunPod's public API on this machine, falling back to the demo checkpoint. */
export async function runServe(args: ServeArgs, io: CommandIo, parts: WorkerParts = WORKER_PARTS): Promise<number> {
  const runtime = await parts.loadRuntime();
  const context = await openServingContext(io, args.settings, levelOf(runtime.readLogLevel([], io.env)));
  if (context.config.apiKey === null && !isLoopbackHost(args.host)) {
    context.logger.warn("anyone who can reach this address can use the API: set HIGGS_API_KEY", { host: args.host });
  }
  const mode = { kind: "api-server", host: args.host, port: portOf(args.port, "--port") } as const;
  return serveApi(mode, context, io, parts, runtime);
}
