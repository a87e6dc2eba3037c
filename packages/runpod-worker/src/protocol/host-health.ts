/**
 * What a server can do now. `degraded`: it takes jobs, but something that some jobs need does not work. `failed`: jobs reach
 * the handler, which knows the reason. `draining`: it ends.
 */
export type ServingState = "loading" | "ready" | "degraded" | "failed" | "draining";

/** What a host knows about itself beyond the runtime. Asked at each `/ping`, `/ready` and `/health`, so it must be quick. */
export interface HostHealth {
  /** The state once the host has been ready for the first time. */
  readonly state: Exclude<ServingState, "draining">;
  /** Shown as `checks` to callers who may see details. */
  readonly checks?: Readonly<Record<string, unknown>> | undefined;
}

/** Whether jobs are taken and can be done. */
export function isServing(state: ServingState): boolean {
  return state === "ready" || state === "degraded";
}

/** Statuses of `/ping` (spec platform §8.1 and §8.4). */
export const PING_STATUS: Readonly<Record<ServingState, 200 | 204 | 503>> = {
  loading: 204,
  ready: 200,
  degraded: 200,
  failed: 503,
  draining: 503,
};
