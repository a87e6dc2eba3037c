import { planFrom, type PlannedRequest } from "../../packages/runpod-deploy/src/deployment/deploy.ts";
import { wishOf, type DeployFlags } from "../../apps/worker/src/deploy/wish.ts";
import { KNOWN_CARDS } from "../../packages/runpod-deploy/src/deployment/gpu-selection.ts";

export type Operation =
  | "createEndpoint"
  | "updateEndpoint"
  | "createTemplate"
  | "updateTemplate"
  | "createNetworkVolume"
  | "updateNetworkVolume"
  | "createPod";

const CONTAINER = {
  image: "me/image:1",
  args: "worker",
  disk: 10,
  env: { A: "1" },
  ports: ["8000/http"],
  registry: null,
};
const GPU = {
  pools: ["ADA_24"],
  excludedTypes: ["NVIDIA L4"],
  count: 1,
  allowedCudaVersions: ["12.8"],
  minCudaVersion: "12.4",
};
const ENDPOINT = {
  ...CONTAINER,
  name: "e",
  scaling: { type: "QUEUE_DELAY", queueDelay: 4 },
  workers: { min: 0, max: 3, idleTimeout: 10 },
  timeout: 600_000,
  flashboot: "FLASHBOOT",
  dataCenterIds: ["EU-RO-1"],
  networkVolumes: ["v"],
};
const BY_REQUESTS = { type: "REQUEST_COUNT", requestCount: 1 };
const TEMPLATE = {
  ...CONTAINER,
  name: "t",
  allowedCudaVersions: ["12.8"],
  category: "NVIDIA",
  mounts: { persistent: { size: 20, path: "/workspace" } },
  public: false,
  serverless: true,
  startJupyter: false,
  startSsh: false,
};

const FLAGS: DeployFlags = {
  name: "higgs-audio",
  id: null,
  image: "me/higgs:1",
  target: null,
  mode: null,
  gpus: ["L4", "4090"],
  gpuCount: null,
  minCuda: null,
  workersMin: null,
  workersMax: null,
  idleTimeoutSeconds: null,
  executionTimeoutSeconds: null,
  scaleDelaySeconds: null,
  scaleRequests: null,
  flashboot: null,
  diskGb: null,
  registry: null,
  dataCenters: [],
  unsetEnv: [],
  isReset: false,
  usesCachedModels: false,
};

/** What `higgs deploy` sends first, on a queue, behind a load balancer, and scaled by requests. */
const SENT: readonly PlannedRequest[] = [FLAGS, { ...FLAGS, scaleRequests: 2 }].flatMap((flags) =>
  (["queue", "lb"] as const).flatMap((mode) => {
    const parts = {
      mode,
      env: { S3_BUCKET: "audio" },
      volume: { id: "v", dataCenter: "EU-RO-1" },
      catalog: KNOWN_CARDS,
    };
    return planFrom(wishOf(flags, parts), null, null).requests;
  }),
);

function sentTo(path: string): object[] {
  return SENT.filter((request) => request.path === path).map(({ body }) => body);
}

/** Bodies that RunPod accepts, with every field that the schema has; those that we send among them. */
export const GOOD_BODIES: Readonly<Record<Operation, readonly object[]>> = {
  createEndpoint: [
    { ...ENDPOINT, type: "QUEUE", gpu: GPU, templateId: "t" },
    { ...ENDPOINT, type: "LOAD_BALANCER", scaling: BY_REQUESTS, gpu: GPU },
    { name: "e", type: "QUEUE", image: "i", scaling: BY_REQUESTS, cpu: [{ id: "cpu5c", vcpuCount: 4 }] },
    ...sentTo("/v2/serverless"),
  ],
  updateEndpoint: [
    { ...ENDPOINT, gpu: GPU, templateId: "t" },
    { scaling: BY_REQUESTS, gpu: { count: 1, minCudaVersion: "", allowedCudaVersions: [] } },
    { cpu: [{ id: "cpu5c", vcpuCount: 4 }] },
    {},
  ],
  createTemplate: [TEMPLATE, { name: "t", image: "i" }, ...sentTo("/v2/templates")],
  updateTemplate: [TEMPLATE, {}],
  createNetworkVolume: [
    { name: "v", size: 30, dataCenter: "EU-RO-1" },
    { name: "v", size: 30, dataCenter: "EU-RO-1", type: "HIGH_PERFORMANCE" },
  ],
  updateNetworkVolume: [{ name: "v", size: 30 }],
  createPod: [
    {
      ...CONTAINER,
      name: "p",
      cloud: "SECURE",
      cpu: { id: "cpu5c", vcpuCount: 2 },
      dataCenterIds: ["EU-RO-1"],
      globalNetworking: false,
      mounts: { network: [{ volumeId: "v", path: "/runpod-volume" }] },
      startJupyter: false,
      startSsh: false,
      templateId: "t",
    },
    {
      name: "p",
      image: "i",
      gpu: { id: "NVIDIA L4", count: 1, allowedCudaVersions: ["12.8"], minCudaVersion: "12.4" },
    },
  ],
};
