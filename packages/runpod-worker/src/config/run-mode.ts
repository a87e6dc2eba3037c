import type { WorkerFlags } from "./flags.ts";

/** What a process does, decided once at start (spec platform §1.1). */
export type RunMode =
  | { readonly kind: "api-server"; readonly host: string; readonly port: number; readonly isRealtime: boolean }
  | { readonly kind: "local" }
  | { readonly kind: "production" };

/** Chooses the mode: API server, realtime server, one local run, or the production worker, in this order. */
export function chooseRunMode(flags: WorkerFlags, env: Readonly<Record<string, string | undefined>>): RunMode {
  if (flags.isApiServer) return { kind: "api-server", host: flags.apiHost, port: flags.apiPort, isRealtime: false };
  const realtimePort = Number(env["RUNPOD_REALTIME_PORT"] ?? "0");
  if (Number.isInteger(realtimePort) && realtimePort > 0) {
    return { kind: "api-server", host: "0.0.0.0", port: realtimePort, isRealtime: true };
  }
  const hasQueue = (env["RUNPOD_WEBHOOK_GET_JOB"] ?? "") !== "";
  return flags.testInput !== undefined || !hasQueue ? { kind: "local" } : { kind: "production" };
}
