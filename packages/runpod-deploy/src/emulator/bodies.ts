import {
  byType,
  dictionary,
  integer,
  isObject,
  list,
  nullable,
  number,
  object,
  oneOf,
  text,
  truth,
  type Check,
} from "./schema.ts";

/**
 * What REST v2 accepts as bodies, rule by rule as in the published schema: a body that breaks one of these is answered with
 * 422. Rules across resources, which answer 400 or 404, are in `resource-rules.ts`. `npm run check:runpod-schema` compares
 * these rules with the schema itself.
 */

const CUDA_VERSION = /^\d+\.\d+$/;

const CONTAINER: Readonly<Record<string, Check>> = {
  image: text(),
  args: text(),
  disk: integer({ min: 1 }),
  env: dictionary(text()),
  ports: list(text()),
  registry: nullable(text()),
};

const GPU: Readonly<Record<string, Check>> = {
  pools: list(text(), { minItems: 1 }),
  excludedTypes: list(text({ pattern: /^\s*[^-\s]/ }), { unique: true }),
  count: integer({ min: 1 }),
  allowedCudaVersions: list(text({ pattern: CUDA_VERSION })),
};

const CPU = object({ id: text({ minLength: 1 }), vcpuCount: integer({ min: 2 }) }, { required: ["id", "vcpuCount"] });
const CPUS = list(CPU, { minItems: 1, unique: true });

const WORKERS = object({
  min: integer({ min: 0 }),
  max: integer({ min: 0 }),
  idleTimeout: integer({ min: 1, max: 3600 }),
});

const REQUEST_COUNT = object(
  { type: oneOf("REQUEST_COUNT"), requestCount: integer({ min: 1 }) },
  { required: ["type", "requestCount"] },
);
const SCALING = byType({
  QUEUE_DELAY: object(
    { type: oneOf("QUEUE_DELAY"), queueDelay: number({ min: 0.5 }) },
    { required: ["type", "queueDelay"] },
  ),
  REQUEST_COUNT,
});

const ENDPOINT: Readonly<Record<string, Check>> = {
  ...CONTAINER,
  name: text({ minLength: 1 }),
  scaling: SCALING,
  workers: WORKERS,
  timeout: integer(),
  flashboot: oneOf("OFF", "FLASHBOOT", "PRIORITY_FLASHBOOT"),
  dataCenterIds: list(text()),
  networkVolumes: list(text()),
  cpu: CPUS,
};

export const CREATE_ENDPOINT = object(
  {
    ...ENDPOINT,
    type: oneOf("QUEUE", "LOAD_BALANCER"),
    templateId: text({ minLength: 1 }),
    gpu: object({ ...GPU, minCudaVersion: text({ pattern: CUDA_VERSION }) }, { required: ["pools"] }),
  },
  {
    required: ["name", "type", "scaling"],
    also: (fields, at) => [
      ...imageOrTemplate(fields, at),
      ...(fields["type"] === "LOAD_BALANCER" ? REQUEST_COUNT(fields["scaling"], `${at}.scaling`) : []),
    ],
  },
);

export const UPDATE_ENDPOINT = object({
  ...ENDPOINT,
  templateId: text(),
  gpu: object(
    { ...GPU, minCudaVersion: text({ pattern: /^$|^\d+\.\d+$/ }) },
    {
      also: (fields, at) =>
        fields["excludedTypes"] !== undefined && fields["pools"] === undefined
          ? [`${at}: properties 'pools' required, if 'excludedTypes' exists`]
          : [],
    },
  ),
});

const PERSISTENT = object({ size: integer({ min: 10 }), path: text() }, { required: ["size", "path"] });

const TEMPLATE: Readonly<Record<string, Check>> = {
  ...CONTAINER,
  name: text({ minLength: 1 }),
  allowedCudaVersions: list(text({ pattern: CUDA_VERSION })),
  category: oneOf("CPU", "NVIDIA", "AMD"),
  mounts: object({ persistent: PERSISTENT }),
  public: truth,
  serverless: truth,
  startJupyter: truth,
  startSsh: truth,
};

export const CREATE_TEMPLATE = object(TEMPLATE, { required: ["name", "image"] });
export const UPDATE_TEMPLATE = object(TEMPLATE);

const VOLUME_SIZE = integer({ min: 10, max: 4096 });

export const CREATE_VOLUME = object(
  {
    name: text({ minLength: 1 }),
    size: VOLUME_SIZE,
    dataCenter: text({ minLength: 1 }),
    type: oneOf("STANDARD", "HIGH_PERFORMANCE"),
  },
  { required: ["name", "size", "dataCenter"] },
);
export const UPDATE_VOLUME = object(
  { name: text({ minLength: 1 }), size: VOLUME_SIZE },
  { also: (fields, at) => (Object.keys(fields).length === 0 ? [`${at}: minProperties: got 0, want 1`] : []) },
);

const NETWORK_MOUNT = object({ volumeId: text(), path: text() }, { required: ["volumeId", "path"] });

export const CREATE_POD = object(
  {
    ...CONTAINER,
    name: text({ minLength: 1 }),
    cloud: oneOf("SECURE", "COMMUNITY"),
    cpu: CPU,
    gpu: object(
      {
        id: text(),
        count: integer({ min: 1 }),
        allowedCudaVersions: list(text({ pattern: CUDA_VERSION })),
        minCudaVersion: text({ pattern: CUDA_VERSION }),
      },
      { required: ["id"] },
    ),
    dataCenterIds: list(text()),
    globalNetworking: truth,
    mounts: object({ persistent: PERSISTENT, network: list(NETWORK_MOUNT, { maxItems: 1 }) }),
    startJupyter: truth,
    startSsh: truth,
    templateId: text({ minLength: 1 }),
  },
  { required: ["name"], also: imageOrTemplate },
);

function imageOrTemplate(fields: Readonly<Record<string, unknown>>, at: string): string[] {
  return isObject(fields) && fields["templateId"] === undefined && fields["image"] === undefined
    ? [`${at}: missing property 'image'`]
    : [];
}
