import { randomInt } from "node:crypto";
import type {
  ContainerConfig,
  CreateEndpoint,
  CreatePod,
  CreateTemplate,
  CreateVolume,
  Endpoint,
  EndpointGpu,
  GpuType,
  Pod,
  Template,
  UpdateEndpoint,
  UpdateTemplate,
  UpdateVolume,
  Volume,
} from "../api/types.ts";
import { Refusal } from "./problems.ts";
import { checkCompute, checkScaling, checkVolumes, mergeGpu } from "./resource-rules.ts";

export type StoredTemplate = Template & Required<Pick<CreateTemplate, "startSsh" | "startJupyter">>;
export type StoredPod = Pod & Pick<CreatePod, "mounts" | "args" | "env" | "image" | "dataCenterIds">;

/** A creation as it may come in: the schema has defaults for what a careful client sends anyway. */
export type CreateEndpointBody = Pick<CreateEndpoint, "name" | "type" | "scaling" | "gpu"> &
  Partial<Omit<CreateEndpoint, "workers">> & { readonly workers?: Partial<Endpoint["workers"]> };

/** All resources of one account, with RunPod's rules about them. */
export class Account {
  readonly endpoints = new Map<string, Endpoint>();
  readonly templates = new Map<string, StoredTemplate>();
  readonly volumes = new Map<string, Volume>();
  readonly pods = new Map<string, StoredPod>();
  readonly #catalog: readonly GpuType[];
  readonly #dataCenters: readonly string[];

  constructor(catalog: readonly GpuType[], dataCenters: readonly string[]) {
    this.#catalog = catalog;
    this.#dataCenters = dataCenters;
  }

  createEndpoint(body: CreateEndpointBody): Endpoint {
    const { templateId, env, ...own } = body;
    const template = templateId === undefined ? null : this.#serverlessTemplate(templateId);
    checkCompute(body, this.#catalog);
    checkScaling(body.type, body.scaling, body.workers);
    checkVolumes(body.networkVolumes ?? [], this.volumes);
    const endpoint: Endpoint = {
      ...DEFAULT_CONTAINER,
      ...containerOf(template),
      ...own,
      env: { ...template?.env, ...env },
      id: newId(),
      gpu: mergeGpu(null, body.gpu),
      workers: workersOf({ min: 0, max: 3, idleTimeout: 10, ...body.workers }, body),
      timeout: body.timeout ?? 300_000,
      flashboot: body.flashboot ?? "OFF",
      networkVolumes: body.networkVolumes ?? [],
      dataCenterIds: body.dataCenterIds ?? [],
      createdAt: new Date().toISOString(),
    };
    this.endpoints.set(endpoint.id, endpoint);
    return endpoint;
  }

  updateEndpoint(id: string, { templateId, ...body }: UpdateEndpoint & { readonly templateId?: string }): Endpoint {
    const endpoint = this.#need(this.endpoints, id, "endpoint");
    const template = templateId === undefined ? null : this.#serverlessTemplate(templateId);
    const gpu = body.gpu === undefined ? endpoint.gpu : mergeGpu(endpoint.gpu ?? null, body.gpu);
    checkCompute({ ...body, gpu: gpu as EndpointGpu }, this.#catalog);
    const type = endpoint.type ?? "QUEUE";
    const scaling = body.scaling ?? endpoint.scaling;
    checkScaling(type, scaling, body.workers);
    checkVolumes(body.networkVolumes ?? [], this.volumes);
    const { gpu: _patch, ...rest } = body;
    const updated: Endpoint = {
      ...endpoint,
      ...containerOf(template),
      ...rest,
      ...(gpu !== undefined && { gpu }),
      workers: workersOf({ ...endpoint.workers, ...body.workers }, { type, scaling }),
    };
    this.endpoints.set(id, updated);
    return updated;
  }

  removeEndpoint(id: string): Endpoint {
    const endpoint = this.#need(this.endpoints, id, "endpoint");
    this.endpoints.delete(id);
    return endpoint;
  }

  createTemplate(body: CreateTemplate): StoredTemplate {
    const isTaken = [...this.templates.values()].some((template) => template.name === body.name);
    if (isTaken) throw new Refusal(409, "a template with this name exists");
    const flags = { serverless: false, startSsh: true, startJupyter: true };
    const template = { ...DEFAULT_CONTAINER, ...flags, ...body, id: newId() };
    this.templates.set(template.id, template);
    return template;
  }

  updateTemplate(id: string, body: UpdateTemplate): StoredTemplate {
    const template = { ...this.#need(this.templates, id, "template"), ...body };
    this.templates.set(id, template);
    return template;
  }

  removeTemplate(id: string): void {
    this.#need(this.templates, id, "template");
    this.templates.delete(id);
  }

  createVolume(body: CreateVolume): Volume {
    if (!this.#dataCenters.includes(body.dataCenter)) throw new Refusal(400, "unknown data center");
    const volume = { type: "STANDARD" as const, ...body, id: newId() };
    this.volumes.set(volume.id, volume);
    return volume;
  }

  updateVolume(id: string, body: UpdateVolume): Volume {
    const volume = this.#need(this.volumes, id, "network volume");
    if (body.size !== undefined && body.size < volume.size) throw new Refusal(400, "size cannot be reduced");
    const updated = { ...volume, ...body };
    this.volumes.set(id, updated);
    return updated;
  }

  removeVolume(id: string): void {
    this.#need(this.volumes, id, "network volume");
    const users = [...this.endpoints.values()].filter((endpoint) => endpoint.networkVolumes.includes(id));
    const isMounted = [...this.pods.values()].some((pod) => pod.mounts?.network.some((mount) => mount.volumeId === id));
    if (users.length > 0 || isMounted) throw new Refusal(400, "network volume is in use");
    this.volumes.delete(id);
  }

  createPod(body: CreatePod & { readonly gpu?: { readonly count?: number } }): StoredPod {
    if ((body.cpu === undefined) === (body.gpu === undefined))
      throw new Refusal(400, "exactly one of gpu or cpu must be set");
    // The schema says that 1 is the default; the scheduler finds no machine without the field.
    if (body.gpu !== undefined && body.gpu.count === undefined) throw new Refusal(400, "no instances available");
    const volumeIds = (body.mounts?.network ?? []).map((mount) => mount.volumeId);
    checkVolumes(volumeIds, this.volumes);
    for (const id of volumeIds) {
      const { dataCenter } = this.#need(this.volumes, id, "network volume");
      const wanted = body.dataCenterIds ?? [];
      if (wanted.length > 0 && !wanted.includes(dataCenter))
        throw new Refusal(400, "the volume is in another data center");
    }
    const pod: StoredPod = { ...body, id: newId(), status: "RUNNING", cost: 0.06 };
    this.pods.set(pod.id, pod);
    return pod;
  }

  removePod(id: string): void {
    this.#need(this.pods, id, "pod");
    this.pods.delete(id);
  }

  /** @throws {Refusal} 404 when there is none with the id */
  #need<Item>(items: ReadonlyMap<string, Item>, id: string, word: string): Item {
    const item = items.get(id);
    if (item === undefined) throw new Refusal(404, `${word} not found`);
    return item;
  }

  #serverlessTemplate(id: string): StoredTemplate {
    const template = this.#need(this.templates, id, "template");
    if (!template.serverless) throw new Refusal(422, "template is not a serverless template");
    return template;
  }
}

const DEFAULT_CONTAINER = { args: "", disk: 20, env: {}, ports: [], registry: null };

function containerOf(template: StoredTemplate | null): ContainerConfig {
  if (template === null) return {};
  const { image, args, disk, ports, registry, env } = template;
  return { image, args, disk, ports, registry, env } as ContainerConfig;
}

/** Without an idle timeout where RunPod leaves it out. */
function workersOf(workers: Endpoint["workers"], { type, scaling }: Pick<CreateEndpoint, "type" | "scaling">) {
  const { min, max, idleTimeout } = workers;
  const isLeftOut = idleTimeout === undefined || (type === "QUEUE" && scaling.type === "REQUEST_COUNT");
  return isLeftOut ? { min, max } : { min, max, idleTimeout };
}

/** Like RunPod's: short, lower-case. */
function newId(): string {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from({ length: 14 }, () => letters[randomInt(letters.length)]).join("");
}
