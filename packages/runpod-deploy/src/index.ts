export { RunpodClient, type LogOptions } from "./api/client.ts";
export { DEFAULT_BASE_URL, type RequestOptions } from "./api/request.ts";
export type { Transport } from "./api/transport.ts";
export type * from "./api/types.ts";
export { IMAGE_TARGETS, imageTargetOf, minCudaVersionFor, type ImageTarget } from "./deployment/cuda.ts";
export { createOnce } from "./deployment/create-once.ts";
export {
  deploy,
  findEndpoint,
  planDeployment,
  planFrom,
  type DeploymentPlan,
  type PlannedRequest,
} from "./deployment/deploy.ts";
export { KNOWN_CARDS, offeredNames, selectGpus } from "./deployment/gpu-selection.ts";
export type { Change } from "./deployment/plan.ts";
export { removeDeployment, removeVolume } from "./deployment/remove.ts";
export { DeploymentError, type DeploymentWish, type EndpointSettings } from "./deployment/settings.ts";
export { RunpodApiError } from "./errors.ts";
