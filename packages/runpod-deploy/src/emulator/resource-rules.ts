import type { EndpointGpu, EndpointType, EndpointWorkers, GpuType, Scaling, Volume } from "../api/types.ts";
import { Refusal } from "./problems.ts";

interface Compute {
  readonly gpu?: EndpointGpu | null;
  readonly cpu?: unknown;
}

/** Exactly one family of compute, pools and cards that exist, one way of saying which drivers. */
export function checkCompute({ gpu = null, cpu }: Compute, catalog: readonly GpuType[]): void {
  if ((gpu === null) === (cpu === undefined)) throw new Refusal(400, "exactly one of gpu or cpu must be set");
  if (gpu === null) return;
  const pools = new Set(catalog.flatMap((type) => type.pool ?? []));
  const unknown = gpu.pools.filter((pool) => !pools.has(pool));
  if (unknown.length > 0) throw new Refusal(400, `unknown GPU pool ${unknown.join(", ")}`);
  const chosen = catalog.filter((type) => gpu.pools.includes(type.pool ?? ""));
  const excluded = (gpu.excludedTypes ?? []).map((id) => id.trim());
  const foreign = excluded.filter((id) => !chosen.some((type) => type.id === id));
  if (foreign.length > 0) throw new Refusal(400, `not a GPU type of the pools: ${foreign.join(", ")}`);
  if (chosen.every((type) => excluded.includes(type.id))) throw new Refusal(400, "no GPU type is left");
  const hasFloor = (gpu.minCudaVersion ?? "") !== "";
  if (hasFloor && (gpu.allowedCudaVersions ?? []).length > 0) {
    throw new Refusal(400, "allowedCudaVersions and minCudaVersion are mutually exclusive");
  }
}

export function checkScaling(type: EndpointType, scaling: Scaling, workers?: Partial<EndpointWorkers>): void {
  if (type === "LOAD_BALANCER" && scaling.type !== "REQUEST_COUNT") {
    throw new Refusal(400, "load-balancing endpoints scale by REQUEST_COUNT");
  }
  if (type === "QUEUE" && scaling.type === "REQUEST_COUNT" && workers?.idleTimeout !== undefined) {
    throw new Refusal(400, "idleTimeout does not apply to queue endpoints that scale by REQUEST_COUNT");
  }
}

export function checkVolumes(ids: readonly string[], volumes: ReadonlyMap<string, Volume>): void {
  if (ids.some((id) => !volumes.has(id))) throw new Refusal(404, "network volume not found");
}

/** A patch of the GPU selection, as RunPod merges it: pools replace the exclusions too. */
export function mergeGpu(now: EndpointGpu | null, patch: Partial<EndpointGpu>): EndpointGpu {
  const merged = { pools: [], count: 0, allowedCudaVersions: [], minCudaVersion: null, ...now, ...patch };
  const { excludedTypes, ...rest } = merged;
  const kept = patch.pools === undefined ? excludedTypes : patch.excludedTypes;
  const minCudaVersion = rest.minCudaVersion === "" ? null : rest.minCudaVersion;
  return { ...rest, minCudaVersion, ...(kept !== undefined && kept.length > 0 && { excludedTypes: kept }) };
}
