import { RunpodApiError } from "../errors.ts";
import { readLogEvents } from "./log-events.ts";
import { ApiRequests, type RequestOptions } from "./request.ts";
import type {
  CreateEndpoint,
  CreatePod,
  CreateTemplate,
  CreateVolume,
  Endpoint,
  GpuType,
  LogEvent,
  Pod,
  Template,
  UpdateEndpoint,
  UpdateTemplate,
  UpdateVolume,
  Volume,
  Worker,
} from "./types.ts";

export interface LogOptions {
  /** Lines from before the stream begins; 0 … 5000, RunPod's default is 100. */
  readonly tail?: number;
  /** The id of the last line seen; the stream goes on behind it. */
  readonly lastEventId?: string;
  /** `container` for what the program prints, `system` for what the host reports; both unless given. */
  readonly source?: "container" | "system";
  readonly signal: AbortSignal;
}

/** A resource of REST v2 with the common verbs. */
export interface Resource<Item extends { readonly id: string }, Create, Update> {
  /** All of the account. */
  list(): Promise<readonly Item[]>;
  /** Null when there is none with this id. */
  get(id: string): Promise<Item | null>;
  /** Not repeated on failures, because it might have been carried out: `createOnce` knows what to do. */
  create(body: Create): Promise<Item>;
  update(id: string, body: Update): Promise<Item>;
  /** False when there was none with this id. */
  remove(id: string): Promise<boolean>;
}

/**
 * RunPod's REST v2 for one account. Every method throws `RunpodApiError`; answers are checked for the fields that are
 * needed to go on, and otherwise taken as the schema says.
 */
export class RunpodClient {
  readonly endpoints: Resource<Endpoint, CreateEndpoint, UpdateEndpoint>;
  readonly templates: Resource<Template, CreateTemplate, UpdateTemplate>;
  readonly volumes: Resource<Volume, CreateVolume, UpdateVolume>;
  readonly pods: Resource<Pod, CreatePod, never>;
  readonly #requests: ApiRequests;

  constructor(options: RequestOptions) {
    this.#requests = new ApiRequests(options);
    const requests = this.#requests;
    this.endpoints = resourceOf(requests, { path: "/v2/serverless", list: "endpoints", word: "endpoint" });
    this.templates = resourceOf(requests, { path: "/v2/templates", list: "templates", word: "template" });
    this.volumes = resourceOf(requests, {
      path: "/v2/network-volumes",
      list: "networkVolumes",
      word: "network volume",
    });
    this.pods = resourceOf(requests, { path: "/v2/pods", list: "pods", word: "pod" });
  }

  /** Waits, as tries do; ends early when the client's signal aborts. */
  async sleep(ms: number): Promise<void> {
    await this.#requests.sleep(ms);
  }

  /** The cards that RunPod has, with the pools that serverless offers them in. */
  async gpuTypes(): Promise<readonly GpuType[]> {
    const action = "list the GPU types";
    const answer = await this.#requests.json({ method: "GET", path: "/v2/catalog/gpus", action });
    return listOf(answer, "gpus", action) as readonly GpuType[];
  }

  async workers(endpointId: string): Promise<readonly Worker[]> {
    const action = "list the workers";
    const path = `/v2/serverless/${encodeURIComponent(endpointId)}/workers`;
    const answer = await this.#requests.json({ method: "GET", path, action });
    return listOf(answer, "workers", action) as readonly Worker[];
  }

  /** Lines of a worker's log until the signal aborts or RunPod ends the stream, each with the id to go on behind it. */
  workerLogs(endpointId: string, workerId: string, options: LogOptions): AsyncGenerator<LogEvent> {
    const ids = [endpointId, workerId].map(encodeURIComponent);
    return this.#logs(`/v2/serverless/${ids[0] ?? ""}/workers/${ids[1] ?? ""}/logs`, options);
  }

  /** As `workerLogs`, of a pod. */
  podLogs(podId: string, options: LogOptions): AsyncGenerator<LogEvent> {
    return this.#logs(`/v2/pods/${encodeURIComponent(podId)}/logs`, options);
  }

  async *#logs(path: string, { tail, lastEventId, source, signal }: LogOptions): AsyncGenerator<LogEvent> {
    const query = { ...(tail !== undefined && { tail: String(tail) }), ...(source !== undefined && { source }) };
    const headers: Record<string, string> = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    const accept = "text/event-stream";
    const request = { method: "GET" as const, path, query, headers, accept, action: "read the log" };
    const body = await this.#requests.stream(request, signal);
    for await (const event of readLogEvents(body)) yield event;
  }
}

/** What is checked of an answer; the rest is taken as the schema says. */
interface Identified {
  readonly id: string;
}

interface ResourcePlace {
  readonly path: string;
  /** Key of the list in its answer. */
  readonly list: string;
  /** For messages. */
  readonly word: string;
}

function resourceOf<Item extends { readonly id: string }, Create, Update>(
  requests: ApiRequests,
  { path, list, word }: ResourcePlace,
): Resource<Item, Create, Update> {
  const one = (id: string): string => `${path}/${encodeURIComponent(id)}`;
  const isGone = (error: unknown): boolean => error instanceof RunpodApiError && error.failure === "not-found";
  return {
    list: async () => {
      const action = `list the ${word}s`;
      const answer = await requests.json({ method: "GET", path, action });
      return listOf(answer, list, action) as unknown as readonly Item[];
    },
    get: async (id) => {
      const action = `read the ${word}`;
      try {
        return itemOf(await requests.json({ method: "GET", path: one(id), action }), action) as Item;
      } catch (error) {
        if (isGone(error)) return null;
        throw error;
      }
    },
    create: async (body) => {
      const action = `create the ${word}`;
      return itemOf(await requests.json({ method: "POST", path, body, action }), action) as Item;
    },
    update: async (id, body) => {
      const action = `update the ${word}`;
      return itemOf(await requests.json({ method: "PATCH", path: one(id), body, action }), action) as Item;
    },
    remove: async (id) => {
      try {
        await requests.json({ method: "DELETE", path: one(id), action: `delete the ${word}` });
        return true;
      } catch (error) {
        if (isGone(error)) return false;
        throw error;
      }
    },
  };
}

function itemOf(answer: unknown, action: string): Identified {
  if (isItem(answer)) return answer;
  throw new RunpodApiError(action, { failure: "unreadable", status: null, detail: "the answer has no id" });
}

function listOf(answer: unknown, key: string, action: string): readonly Identified[] {
  const list = typeof answer === "object" && answer !== null ? (answer as Record<string, unknown>)[key] : undefined;
  if (Array.isArray(list) && list.every(isItem)) return list;
  throw new RunpodApiError(action, { failure: "unreadable", status: null, detail: `the answer has no list ${key}` });
}

function isItem(value: unknown): value is Identified {
  return (
    typeof value === "object" && value !== null && "id" in value && typeof value.id === "string" && value.id !== ""
  );
}
