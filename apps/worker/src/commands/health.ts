import { HiggsError } from "@higgs-worker/base";
import { loadConfig, type SettingFlags } from "../config/load.ts";
import { askHealthSocket, type WorkerHealth } from "../health/health-socket.ts";
import { type CommandIo, EXIT_FAILED, EXIT_OK } from "../terminal/command-io.ts";
import { printJson } from "../terminal/print-json.ts";

export interface HealthArgs {
  readonly isJson: boolean;
  readonly settings: SettingFlags;
  /** Limits the wait for the answer. */
  readonly timeoutMs?: number | undefined;
}

/** A worker that computes on its event loop answers late; one that has not answered by then hangs. */
const TIMEOUT_MS = 5_000;

/**
 * `higgs health`: asks the worker behind HIGGS_HEALTH_SOCKET and prints its state. Exit code 0 only if it can do jobs: a probe of
 * a container must not take a model that is still loading, or could not be loaded, for a healthy worker.
 *
 * @throws {HiggsError} INVALID_INPUT when no socket is set, or the settings are invalid
 */
export async function runHealth({ isJson, settings, timeoutMs }: HealthArgs, io: CommandIo): Promise<number> {
  const path = loadConfig(io.env, settings).config.healthSocket;
  if (path === null) {
    throw new HiggsError("INVALID_INPUT", "ask the worker", "HIGGS_HEALTH_SOCKET and --health-socket are not set");
  }
  const health = await ask(path, timeoutMs ?? TIMEOUT_MS);
  if (isJson) await printJson(io, health);
  else await io.stdout.write(`${health.status}${health.reason === null ? "" : `: ${health.reason}`}\n`);
  return health.status === "ready" ? EXIT_OK : EXIT_FAILED;
}

async function ask(path: string, timeoutMs: number): Promise<WorkerHealth | { status: "silent"; reason: string }> {
  try {
    return await askHealthSocket(path, timeoutMs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { status: "silent", reason: `no worker answers at ${path} (${reason})` };
  }
}
