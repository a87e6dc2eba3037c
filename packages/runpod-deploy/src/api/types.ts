/**
 * The parts of RunPod's REST v2 that deployments use (spec platform §9.2, and the published schema of September 2026).
 * Sizes are GB, idle timeouts seconds, execution timeouts milliseconds.
 */

export type EndpointType = "QUEUE" | "LOAD_BALANCER";

export type FlashBoot = "OFF" | "FLASHBOOT" | "PRIORITY_FLASHBOOT";

/** Queue endpoints scale by either; load-balancing ones by `REQUEST_COUNT` only. */
export type Scaling =
  | { readonly type: "QUEUE_DELAY"; readonly queueDelay: number }
  | { readonly type: "REQUEST_COUNT"; readonly requestCount: number };

/** What runs: the same fields in templates, endpoints and pods. */
export interface ContainerConfig {
  readonly image?: string;
  /** Arguments of the image's entry point, as one string. */
  readonly args?: string;
  /** Container disk, which is wiped at every start. */
  readonly disk?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** `8000/http` and such. */
  readonly ports?: readonly string[];
  /** Id of a stored registry credential, for private images. */
  readonly registry?: string | null;
}

export interface EndpointGpu {
  readonly pools: readonly string[];
  /** Type ids that are taken out of the pools. A patch with `pools` and without this clears it. */
  readonly excludedTypes?: readonly string[];
  readonly count: number;
  /** Exact versions; never together with `minCudaVersion`. An empty list means any. */
  readonly allowedCudaVersions?: readonly string[];
  /** Lowest CUDA version of the host's driver; null and "" mean any. */
  readonly minCudaVersion?: string | null;
}

export interface EndpointWorkers {
  readonly min: number;
  readonly max: number;
  /** Seconds; absent for queue endpoints that scale by requests. */
  readonly idleTimeout?: number;
}

interface EndpointFields {
  readonly scaling: Scaling;
  readonly workers: EndpointWorkers;
  /** Milliseconds that one request may take. */
  readonly timeout: number;
  readonly flashboot: FlashBoot;
  readonly dataCenterIds: readonly string[];
  readonly networkVolumes: readonly string[];
}

export interface CreateEndpoint extends ContainerConfig, EndpointFields {
  readonly name: string;
  readonly type: EndpointType;
  readonly gpu: EndpointGpu;
  /** Settings of this template are copied at creation; later edits of it change nothing. */
  readonly templateId?: string;
}

/** Only what is present changes; `env` replaces all variables. */
export interface UpdateEndpoint extends ContainerConfig, Partial<Omit<EndpointFields, "workers">> {
  readonly name?: string;
  readonly gpu?: Partial<EndpointGpu>;
  readonly workers?: Partial<EndpointWorkers>;
}

export interface Endpoint extends ContainerConfig, EndpointFields {
  readonly id: string;
  readonly name: string;
  readonly type?: EndpointType;
  readonly gpu?: EndpointGpu | null;
  /** `run`, `runSync`, `status`, … of a queue; `base` and `health` behind a load balancer. */
  readonly requestUrls?: Readonly<Record<string, string>>;
  readonly createdAt: string;
}

export interface CreateTemplate extends ContainerConfig {
  readonly name: string;
  readonly image: string;
  readonly serverless: boolean;
  readonly startSsh: boolean;
  readonly startJupyter: boolean;
}

export type UpdateTemplate = Partial<CreateTemplate>;

export interface Template extends ContainerConfig {
  readonly id: string;
  readonly name: string;
  readonly serverless: boolean;
}

export interface CreateVolume {
  readonly name: string;
  /** 10 … 4096. */
  readonly size: number;
  readonly dataCenter: string;
  readonly type?: "STANDARD" | "HIGH_PERFORMANCE";
}

export interface Volume extends CreateVolume {
  readonly id: string;
}

/** Sizes only grow. */
export interface UpdateVolume {
  readonly name?: string;
  readonly size?: number;
}

export interface CreatePod extends ContainerConfig {
  readonly name: string;
  readonly cpu?: { readonly id: string; readonly vcpuCount: number };
  readonly dataCenterIds?: readonly string[];
  readonly mounts?: { readonly network: readonly { readonly volumeId: string; readonly path: string }[] };
}

export interface Pod {
  readonly id: string;
  readonly name: string;
  readonly status: "PROVISIONING" | "STARTING" | "RUNNING" | "EXITED" | "ERROR" | "TERMINATED";
  /** Dollars an hour. */
  readonly cost?: number;
}

export interface Worker {
  readonly id: string;
  readonly status: "RUNNING" | "IDLE" | "INITIALIZING" | "THROTTLED" | "UNHEALTHY";
  /** True for a worker that still runs an older configuration. */
  readonly isStale: boolean;
  readonly gpuTypeId?: string | null;
  readonly dataCenterId?: string | null;
  readonly uptimeSeconds?: number | null;
}

export interface GpuType {
  /** Such as `NVIDIA GeForce RTX 4090`. */
  readonly id: string;
  readonly name: string;
  /** Null for cards that serverless does not offer. */
  readonly pool: string | null;
  /** GB. */
  readonly memory: number;
  /** Dollars an hour. */
  readonly price?: { readonly serverless?: number };
}

/** One line of a worker's or pod's log. */
export interface LogEvent {
  /** What a stream that broke goes on behind; null when RunPod gave none. */
  readonly id: string | null;
  readonly source: string;
  readonly line: string;
  readonly ts: string;
}
