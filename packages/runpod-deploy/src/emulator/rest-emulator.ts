import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Endpoint, GpuType, UpdateEndpoint } from "../api/types.ts";
import { KNOWN_CARDS } from "../deployment/gpu-selection.ts";
import { Account } from "./account.ts";
import { Faults, type Fault } from "./faults.ts";
import { serveLog } from "./log-stream.ts";
import { Refusal } from "./problems.ts";
import { routeOf, type Route } from "./routes.ts";
import { EmulatedServing, type ServingOptions } from "./serving.ts";

export interface RestEmulatorOptions {
  /** The key that requests must carry. */
  readonly apiKey: string;
  /** Port on loopback; any free one unless given. */
  readonly port?: number;
  /** Cards and pools; those of RunPod's published tables unless given. */
  readonly catalog?: readonly GpuType[];
  /** Data centers that volumes can be in. */
  readonly dataCenters?: readonly string[];
  /** Makes endpoints and pods run; without it they exist on paper only. */
  readonly serving?: Omit<ServingOptions, "apiKey">;
}

/** One request that reached the emulator. */
export interface RestRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed; undefined without a body. */
  readonly body: unknown;
}

const DATA_CENTERS = [
  "EU-CZ-1",
  "EU-RO-1",
  "EUR-IS-1",
  "EUR-NO-1",
  "US-CA-2",
  "US-GA-2",
  "US-IL-1",
  "US-KS-2",
  "US-TX-3",
];
const MAX_BODY_BYTES = 1024 * 1024;

/**
 * RunPod's REST v2 on this machine, as strict as the published schema: unknown fields, wrong types and contradictions are
 * refused, state is kept, and faults happen when they are asked for.
 */
export class RestEmulator {
  readonly account: Account;
  readonly faults = new Faults();
  /** All requests with a right key, oldest first. */
  readonly requests: RestRequest[] = [];
  /** What endpoints and pods run; null without `serving`. */
  readonly serving: EmulatedServing | null;
  readonly #apiKey: string;
  readonly #catalog: readonly GpuType[];
  readonly #server: Server;

  /** Use `startRestEmulator`, which also opens the port. */
  constructor(options: RestEmulatorOptions) {
    const { apiKey, catalog = KNOWN_CARDS, dataCenters = DATA_CENTERS, serving } = options;
    this.#apiKey = apiKey;
    this.#catalog = catalog;
    this.account = new Account(catalog, dataCenters);
    this.serving = serving === undefined ? null : new EmulatedServing({ ...serving, apiKey });
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** Without a slash at the end, and without `/v2`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Requests that change something, as `METHOD path`. */
  get writes(): string[] {
    return this.requests.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);
  }

  /** Changes an endpoint behind the back of whoever deployed it, as a person in the console does. */
  drift(endpointId: string, patch: UpdateEndpoint): void {
    this.account.updateEndpoint(endpointId, patch);
  }

  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", resolve);
    });
  }

  /** Ends all workers, pods and connections. */
  async close(): Promise<void> {
    await this.serving?.close();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://emulator");
    const method = request.method ?? "GET";
    try {
      if (request.headers.authorization !== `Bearer ${this.#apiKey}`) throw new Refusal(401, "missing bearer token");
      const body = await readBody(request);
      this.requests.push({ method, path: url.pathname, query: url.searchParams, body });
      const fault = this.faults.take(method, url.pathname);
      if (fault !== null && fault.isAfter !== true) return fail(fault, response);
      const route = routeOf(method, url.pathname);
      const problems = route.check?.(body, "$") ?? [];
      if (problems.length > 0) throw new Refusal(422, "Request validation failed.", problems);
      if (route.name === "worker-logs" || route.name === "pod-logs") {
        return this.#streamLog(route, url.searchParams, request, response);
      }
      const answer = await this.#carryOut(route, body);
      if (fault !== null) return fail(fault, response);
      send(response, answer === null ? 204 : method === "POST" ? 201 : 200, answer);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      send(response, error.status, error.body, "application/problem+json");
    }
  }

  #streamLog(route: Route, query: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    const isPod = route.name === "pod-logs";
    if (isPod && !this.account.pods.has(route.id)) throw new Refusal(404, "pod not found");
    if (!isPod && !this.account.endpoints.has(route.id)) throw new Refusal(404, "endpoint not found");
    if (this.serving === null) throw new Refusal(404, "worker not found");
    const log = this.serving.logOf(isPod ? route.id : route.subId);
    serveLog(log, { tail: query.get("tail"), afterId: request.headers["last-event-id"] }, response);
  }

  /** @returns null for an answer without a body */
  async #carryOut({ name, id }: Route, body: unknown): Promise<unknown> {
    const { account, serving } = this;
    switch (name) {
      case "list-endpoints":
        return { endpoints: [...account.endpoints.values()] };
      case "create-endpoint": {
        const endpoint = account.createEndpoint(body as Parameters<Account["createEndpoint"]>[0]);
        const requestUrls = (await serving?.start(endpoint)) ?? {};
        const complete: Endpoint = { ...endpoint, requestUrls };
        account.endpoints.set(endpoint.id, complete);
        return complete;
      }
      case "get-endpoint":
        return need(account.endpoints, id, "endpoint");
      case "update-endpoint": {
        const endpoint = account.updateEndpoint(id, body as UpdateEndpoint);
        serving?.update(endpoint);
        return endpoint;
      }
      case "delete-endpoint":
        account.removeEndpoint(id);
        await serving?.stop(id);
        return null;
      case "list-workers": {
        need(account.endpoints, id, "endpoint");
        const workers = serving?.workers(id) ?? [];
        return { workers, summary: { total: workers.length } };
      }
      case "list-templates":
        return { templates: [...account.templates.values()] };
      case "create-template":
        return account.createTemplate(body as Parameters<Account["createTemplate"]>[0]);
      case "get-template":
        return need(account.templates, id, "template");
      case "update-template":
        return account.updateTemplate(id, body as Parameters<Account["updateTemplate"]>[1]);
      case "delete-template":
        account.removeTemplate(id);
        return null;
      case "list-volumes":
        return { networkVolumes: [...account.volumes.values()] };
      case "create-volume":
        return account.createVolume(body as Parameters<Account["createVolume"]>[0]);
      case "get-volume":
        return need(account.volumes, id, "network volume");
      case "update-volume":
        return account.updateVolume(id, body as Parameters<Account["updateVolume"]>[1]);
      case "delete-volume":
        account.removeVolume(id);
        return null;
      case "list-pods":
        return { pods: [...account.pods.values()] };
      case "create-pod": {
        const pod = account.createPod(body as Parameters<Account["createPod"]>[0]);
        serving?.startPod(pod);
        return pod;
      }
      case "get-pod":
        return need(account.pods, id, "pod");
      case "delete-pod":
        account.removePod(id);
        await serving?.stopPod(id);
        return null;
      case "list-gpus":
        return { gpus: this.#catalog };
      default:
        throw new Refusal(404, "resource not found");
    }
  }
}

/** Starts an emulator of RunPod's REST v2 on loopback. */
export async function startRestEmulator(options: RestEmulatorOptions): Promise<RestEmulator> {
  const emulator = new RestEmulator(options);
  await emulator.listen(options.port);
  return emulator;
}

function need<Item>(items: ReadonlyMap<string, Item>, id: string, word: string): Item {
  const item = items.get(id);
  if (item === undefined) throw new Refusal(404, `${word} not found`);
  return item;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw new Refusal(400, "the body is too large");
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new Refusal(400, "the body is not JSON");
  }
}

function fail({ action }: Fault, response: ServerResponse): void {
  if (action.kind === "reset") return void response.socket?.destroy();
  const { status, retryAfterSeconds, isHtml = false, detail = "a fault that was asked for" } = action;
  if (retryAfterSeconds !== undefined) response.setHeader("Retry-After", String(retryAfterSeconds));
  if (isHtml) return void response.writeHead(status, { "Content-Type": "text/html" }).end("<html>Bad gateway</html>");
  send(response, status, new Refusal(status, detail).body, "application/problem+json");
}

function send(response: ServerResponse, status: number, body: unknown, type = "application/json"): void {
  if (body === null) return void response.writeHead(status).end();
  response
    .writeHead(status, {
      "Content-Type": type,
      RateLimit: '"minute";r=59;t=60',
      "RateLimit-Policy": '"minute";q=60;w=60',
    })
    .end(JSON.stringify(body));
}
