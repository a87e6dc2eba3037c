import { HiggsError } from "@higgs-worker/base";
import {
  type DeploymentWish,
  type EndpointSettings,
  type EndpointType,
  type FlashBoot,
  type GpuType,
  type ImageTarget,
  offeredNames,
  selectGpus,
  type Volume,
} from "runpod-deploy";

export type DeployMode = "queue" | "lb";

/** The flags of `higgs deploy` that say what shall be; null and empty lists for those that are not given. */
export interface DeployFlags {
  readonly name: string;
  readonly id: string | null;
  readonly image: string | null;
  readonly target: ImageTarget | null;
  /** Null for the mode that is deployed, else the queue. */
  readonly mode: DeployMode | null;
  /** Pools, type ids or short names of cards. */
  readonly gpus: readonly string[];
  readonly gpuCount: number | null;
  readonly minCuda: string | null;
  readonly workersMin: number | null;
  readonly workersMax: number | null;
  readonly idleTimeoutSeconds: number | null;
  readonly executionTimeoutSeconds: number | null;
  readonly scaleDelaySeconds: number | null;
  readonly scaleRequests: number | null;
  readonly flashboot: FlashBoot | null;
  readonly diskGb: number | null;
  readonly registry: string | null;
  readonly dataCenters: readonly string[];
  readonly unsetEnv: readonly string[];
  readonly isReset: boolean;
  readonly usesCachedModels: boolean;
}

export interface WishParts {
  readonly mode: DeployMode;
  readonly env: Readonly<Record<string, string>>;
  readonly volume: Pick<Volume, "id" | "dataCenter"> | null;
  /** RunPod's cards. */
  readonly catalog: readonly GpuType[];
}

/** Where a worker behind the load balancer listens; 80, RunPod's default, is not for every user. */
const LB_PORT = "8000";

/** Cards with 24 GB, the cheaper ones first: the model in bf16 and one request need about half of it. */
const DEFAULT_GPUS = { pools: ["AMPERE_24", "ADA_24"], excludedTypes: [] };
const QUEUE_DELAY_SECONDS = 4;

/**
 * What `higgs deploy` shall make of an endpoint.
 *
 * @throws {HiggsError} INVALID_INPUT for cards that RunPod does not have, places that contradict each other, or a way of scaling
 * that the mode does not have
 */
export function wishOf(flags: DeployFlags, { mode, env, volume, catalog }: WishParts): DeploymentWish {
  const type: EndpointType = mode === "lb" ? "LOAD_BALANCER" : "QUEUE";
  const port = env["PORT"] ?? LB_PORT;
  const modeEnv = mode === "lb" ? { HIGGS_MODE: "lb", PORT: port, PORT_HEALTH: port } : {};
  const cacheEnv = flags.usesCachedModels ? { HF_HUB_OFFLINE: "1" } : {};
  const scaling = scalingOf(flags, mode);
  const named = withoutNulls({
    image: flags.image,
    disk: flags.diskGb,
    registry: flags.registry,
    env: { ...modeEnv, ...cacheEnv, ...env },
    gpus: flags.gpus.length === 0 ? null : gpusOf(flags.gpus, catalog),
    gpuCount: flags.gpuCount,
    workersMin: flags.workersMin,
    workersMax: flags.workersMax,
    idleTimeoutSeconds: flags.idleTimeoutSeconds,
    executionTimeoutMs: flags.executionTimeoutSeconds === null ? null : flags.executionTimeoutSeconds * 1000,
    scaling,
    flashboot: flags.flashboot,
    ports: mode === "lb" ? [`${port}/http`] : null,
    networkVolumes: volume === null ? null : [volume.id],
    dataCenterIds: placesOf(flags.dataCenters, volume),
  });
  return {
    name: flags.name,
    id: flags.id,
    type,
    named,
    defaults: {
      args: "",
      disk: 10,
      ports: [],
      registry: null,
      env: {},
      gpus: DEFAULT_GPUS,
      gpuCount: 1,
      workersMin: 0,
      workersMax: 3,
      idleTimeoutSeconds: 10,
      scaling:
        type === "LOAD_BALANCER"
          ? { type: "REQUEST_COUNT", requestCount: 1 }
          : { type: "QUEUE_DELAY", queueDelay: QUEUE_DELAY_SECONDS },
      executionTimeoutMs: 600_000,
      flashboot: "FLASHBOOT",
      networkVolumes: [],
      dataCenterIds: [],
    },
    unsetEnv: flags.unsetEnv,
    isReset: flags.isReset,
    target: flags.target,
    minCudaVersion: flags.minCuda === "any" ? "" : flags.minCuda,
  };
}

function scalingOf(
  { scaleDelaySeconds, scaleRequests }: DeployFlags,
  mode: DeployMode,
): EndpointSettings["scaling"] | null {
  if (scaleDelaySeconds !== null && (mode === "lb" || scaleRequests !== null)) {
    const reason =
      mode === "lb"
        ? "a load balancer has no queue: use --scale-requests"
        : "--scale-delay and --scale-requests exclude each other";
    throw new HiggsError("INVALID_INPUT", "choose the scaling", reason);
  }
  if (scaleDelaySeconds !== null) return { type: "QUEUE_DELAY", queueDelay: scaleDelaySeconds };
  return scaleRequests === null ? null : { type: "REQUEST_COUNT", requestCount: scaleRequests };
}

function gpusOf(names: readonly string[], catalog: readonly GpuType[]): EndpointSettings["gpus"] {
  const { selection, unknown } = selectGpus(names, catalog);
  if (unknown.length === 0) return selection;
  const { pools, cards } = offeredNames(catalog);
  const reason = `serverless has no ${unknown.join(", ")} (pools: ${pools.join(", ")}; cards: ${cards.join(", ")})`;
  throw new HiggsError("INVALID_INPUT", "choose the GPUs", reason);
}

/** A volume pins the endpoint to its data center; null when nothing is said about places. */
function placesOf(dataCenters: readonly string[], volume: WishParts["volume"]): readonly string[] | null {
  if (volume === null) return dataCenters.length === 0 ? null : dataCenters;
  if (dataCenters.some((one) => one !== volume.dataCenter)) {
    const reason = `the volume is in ${volume.dataCenter}, so workers can only be there (got ${dataCenters.join(", ")})`;
    throw new HiggsError("INVALID_INPUT", "choose the data center", reason);
  }
  return [volume.dataCenter];
}

type Nullable<T> = { readonly [Key in keyof T]: T[Key] | null };

function withoutNulls(settings: Nullable<Partial<EndpointSettings>>): Partial<EndpointSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null && value !== undefined));
}
