import type { EndpointType, FlashBoot, Scaling } from "../api/types.ts";
import type { ImageTarget } from "./cuda.ts";
import type { GpuSelection } from "./gpu-selection.ts";

/** Everything of an endpoint that a deployment decides. */
export interface EndpointSettings {
  readonly image: string;
  readonly args: string;
  /** Container disk in GB. */
  readonly disk: number;
  readonly ports: readonly string[];
  /** Id of a registry credential; null for public images. */
  readonly registry: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly gpus: GpuSelection;
  readonly gpuCount: number;
  readonly workersMin: number;
  readonly workersMax: number;
  /** Seconds, 1 … 3600. */
  readonly idleTimeoutSeconds: number;
  readonly scaling: Scaling;
  readonly executionTimeoutMs: number;
  readonly flashboot: FlashBoot;
  readonly networkVolumes: readonly string[];
  readonly dataCenterIds: readonly string[];
}

/** What a deployment shall become. */
export interface DeploymentWish {
  /** Of endpoint and template. */
  readonly name: string;
  /** The endpoint to update; null looks for the name and creates one if there is none. */
  readonly id: string | null;
  /** Fixed when an endpoint is created. */
  readonly type: EndpointType;
  /** Holds in any case: a deployed endpoint that differs is put back. */
  readonly named: Partial<EndpointSettings>;
  /** For what is not named, when the endpoint is created and on `isReset`. Without image, which must be named. */
  readonly defaults: Omit<EndpointSettings, "image">;
  /** Variables that are taken away. */
  readonly unsetEnv: readonly string[];
  /** True puts what is not named back to the defaults; false leaves it as it is deployed. */
  readonly isReset: boolean;
  /** What the image needs of drivers; null reads it off the image's tag. */
  readonly target: ImageTarget | null;
  /** Overrides the target's CUDA floor; "" for none, null for the target's. */
  readonly minCudaVersion: string | null;
}

/** Why a wish cannot be planned. */
export type WishProblem = "image-missing" | "type-fixed" | "name-ambiguous" | "endpoint-missing" | "workers-invalid";

/** A deployment that makes no sense, found before anything was changed. */
export class DeploymentError extends Error {
  override readonly name = "DeploymentError";
  readonly problem: WishProblem;

  constructor(problem: WishProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
