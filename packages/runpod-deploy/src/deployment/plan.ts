import type { CreateEndpoint, CreateTemplate, Endpoint, EndpointGpu, UpdateEndpoint } from "../api/types.ts";
import { imageTargetOf, minCudaVersionFor } from "./cuda.ts";
import { DeploymentError, type DeploymentWish, type EndpointSettings } from "./settings.ts";

/** One setting that differs; `env.NAME` for variables. */
export interface Change {
  readonly field: string;
  /** Undefined when it was not there. */
  readonly from: unknown;
  /** Undefined when it goes away. */
  readonly to: unknown;
}

/** A wish with the CUDA floor that follows from it. */
export interface Target extends EndpointSettings {
  /** "" for any. */
  readonly minCudaVersion: string;
}

/**
 * What an endpoint shall be: the named settings, and for the others what is deployed, or the defaults.
 *
 * @throws {DeploymentError} when no image is known, the type differs, or the numbers of workers contradict each other
 */
export function targetOf(wish: DeploymentWish, deployed: Endpoint | null): Target {
  if (deployed?.type !== undefined && deployed.type !== wish.type) {
    const message = `the endpoint ${deployed.name} has the type ${deployed.type}, which cannot be changed: delete it first, or choose another name`;
    throw new DeploymentError("type-fixed", message);
  }
  const base: Partial<EndpointSettings> =
    deployed === null || wish.isReset
      ? { ...imageOf(deployed), ...wish.defaults }
      : settingsOf(deployed, wish.defaults);
  const { image } = { ...base, ...wish.named };
  if (image === undefined || image === "") throw new DeploymentError("image-missing", "no image is named");
  const env = { ...base.env, ...wish.named.env };
  for (const name of wish.unsetEnv) delete env[name];
  const settings: EndpointSettings = { ...wish.defaults, ...base, ...wish.named, image, env };
  if (settings.workersMin > settings.workersMax) {
    const message = `there cannot be more workers at least than at most (got ${settings.workersMin} and ${settings.workersMax})`;
    throw new DeploymentError("workers-invalid", message);
  }
  const floor = minCudaVersionFor(wish.target ?? imageTargetOf(image), settings.gpus.pools);
  return { ...settings, minCudaVersion: wish.minCudaVersion ?? floor ?? "" };
}

function imageOf(deployed: Endpoint | null): Partial<EndpointSettings> {
  return deployed?.image === undefined ? {} : { image: deployed.image };
}

/** An endpoint's settings; RunPod leaves out what is empty. */
function settingsOf(endpoint: Endpoint, defaults: DeploymentWish["defaults"]): EndpointSettings {
  const { gpu = null, workers } = endpoint;
  return {
    image: endpoint.image ?? "",
    args: endpoint.args ?? "",
    disk: endpoint.disk ?? defaults.disk,
    ports: endpoint.ports ?? [],
    registry: endpoint.registry ?? null,
    env: endpoint.env ?? {},
    gpus: gpu === null ? defaults.gpus : { pools: gpu.pools, excludedTypes: gpu.excludedTypes ?? [] },
    gpuCount: gpu?.count ?? defaults.gpuCount,
    workersMin: workers.min,
    workersMax: workers.max,
    idleTimeoutSeconds: workers.idleTimeout ?? defaults.idleTimeoutSeconds,
    scaling: endpoint.scaling,
    executionTimeoutMs: endpoint.timeout,
    flashboot: endpoint.flashboot,
    networkVolumes: endpoint.networkVolumes,
    dataCenterIds: endpoint.dataCenterIds,
  };
}

/** The template that an endpoint is created from. */
export function templateBody(name: string, target: Target): CreateTemplate {
  const { image, args, disk, ports, env, registry } = target;
  return { name, image, args, disk, ports, env, registry, serverless: true, startSsh: false, startJupyter: false };
}

export function createBody(wish: DeploymentWish, target: Target, templateId: string): CreateEndpoint {
  const { minCudaVersion, gpus, gpuCount } = target;
  return {
    name: wish.name,
    type: wish.type,
    templateId,
    gpu: {
      pools: gpus.pools,
      ...(gpus.excludedTypes.length > 0 && { excludedTypes: gpus.excludedTypes }),
      // RunPod finds no machine without it, although the schema has a default.
      count: gpuCount,
      ...(minCudaVersion !== "" && { minCudaVersion }),
    },
    workers: {
      min: target.workersMin,
      max: target.workersMax,
      ...(hasIdleTimeout(wish, target) && { idleTimeout: target.idleTimeoutSeconds }),
    },
    scaling: target.scaling,
    timeout: target.executionTimeoutMs,
    flashboot: target.flashboot,
    networkVolumes: target.networkVolumes,
    dataCenterIds: target.dataCenterIds,
  };
}

/** RunPod refuses an idle timeout for queues that scale by requests. */
function hasIdleTimeout(wish: DeploymentWish, target: Target): boolean {
  return wish.type === "LOAD_BALANCER" || target.scaling.type === "QUEUE_DELAY";
}

export interface EndpointPatch {
  readonly body: UpdateEndpoint;
  readonly changes: readonly Change[];
}

/** What makes a deployed endpoint its target; no changes when it is. */
export function patchFor(wish: DeploymentWish, deployed: Endpoint, target: Target): EndpointPatch {
  const now = settingsOf(deployed, wish.defaults);
  const changes: Change[] = [];
  const note = <T>(field: string, from: T, to: T): boolean => {
    if (isSame(from, to)) return false;
    changes.push({ field, from, to });
    return true;
  };
  const noteEnv = (): boolean => {
    const names = [...new Set([...Object.keys(now.env), ...Object.keys(target.env)])].sort();
    return names.filter((name) => note(`env.${name}`, now.env[name], target.env[name])).length > 0;
  };
  const gpu = gpuPatch(deployed.gpu ?? null, now, target, note);
  const workers = {
    ...(note("workers.min", now.workersMin, target.workersMin) && { min: target.workersMin }),
    ...(note("workers.max", now.workersMax, target.workersMax) && { max: target.workersMax }),
    ...(hasIdleTimeout(wish, target) &&
      note("workers.idleTimeout", deployed.workers.idleTimeout, target.idleTimeoutSeconds) && {
        idleTimeout: target.idleTimeoutSeconds,
      }),
  };
  const body: UpdateEndpoint = {
    ...(note("image", now.image, target.image) && { image: target.image }),
    ...(note("args", now.args, target.args) && { args: target.args }),
    ...(note("disk", now.disk, target.disk) && { disk: target.disk }),
    ...(note("ports", now.ports, target.ports) && { ports: target.ports }),
    ...(note("registry", now.registry, target.registry) && { registry: target.registry }),
    ...(noteEnv() && { env: target.env }),
    ...(gpu !== null && { gpu }),
    ...(Object.keys(workers).length > 0 && { workers }),
    ...(note("scaling", now.scaling, target.scaling) && { scaling: target.scaling }),
    ...(note("timeout", now.executionTimeoutMs, target.executionTimeoutMs) && { timeout: target.executionTimeoutMs }),
    ...(note("flashboot", now.flashboot, target.flashboot) && { flashboot: target.flashboot }),
    ...(note("networkVolumes", now.networkVolumes, target.networkVolumes) && { networkVolumes: target.networkVolumes }),
    ...(note("dataCenterIds", sorted(now.dataCenterIds), sorted(target.dataCenterIds)) && {
      dataCenterIds: target.dataCenterIds,
    }),
  };
  return { body, changes };
}

type Note = <T>(field: string, from: T, to: T) => boolean;

function gpuPatch(
  gpu: EndpointGpu | null,
  now: EndpointSettings,
  target: Target,
  note: Note,
): Partial<EndpointGpu> | null {
  const { pools, excludedTypes } = target.gpus;
  const isSelectionNew = [
    note("gpu.pools", sorted(now.gpus.pools), sorted(pools)),
    note("gpu.excludedTypes", sorted(now.gpus.excludedTypes), sorted(excludedTypes)),
  ].includes(true);
  const isCountNew = note("gpu.count", gpu?.count, target.gpuCount);
  const isFloorNew = note("gpu.minCudaVersion", gpu?.minCudaVersion ?? "", target.minCudaVersion);
  const isListNew = note("gpu.allowedCudaVersions", gpu?.allowedCudaVersions ?? [], []);
  if (!isSelectionNew && !isCountNew && !isFloorNew && !isListNew) return null;
  return {
    // Pools without exclusions would clear them, so the two always go together.
    ...(isSelectionNew && { pools, excludedTypes }),
    count: target.gpuCount,
    ...(isFloorNew && { minCudaVersion: target.minCudaVersion }),
    // A floor beside a list is refused, so an old list is cleared in the same request.
    ...(isListNew && { allowedCudaVersions: [] }),
  };
}

function sorted(values: readonly string[]): string[] {
  return [...values].sort();
}

/** Equal as JSON, whatever the order of an object's keys. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const [aKeys, bKeys] = [Object.keys(a), Object.keys(b)];
  const valueOf = (object: object, key: string): unknown => (object as Record<string, unknown>)[key];
  return aKeys.length === bKeys.length && aKeys.every((key) => key in b && isSame(valueOf(a, key), valueOf(b, key)));
}
