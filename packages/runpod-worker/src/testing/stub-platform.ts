import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

export type StubRoute = "take" | "take-batch" | "stop" | "done" | "stream" | "ping" | "other";

/** One request as it arrived, before any answer. */
export interface RecordedRequest {
  readonly route: StubRoute;
  /** Milliseconds of the monotonic clock. */
  readonly atMs: number;
  readonly method: string;
  /** Request target as it was on the wire. */
  readonly target: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Body as JSON, or undefined if it is not JSON. */
  readonly json: unknown;
  readonly response: ServerResponse;
}

/** Answers a request instead of the stub and returns true; false = the stub answers as usual. */
export type Responder = (request: RecordedRequest) => boolean | Promise<boolean>;

const ROUTES: readonly (readonly [segment: string, route: StubRoute])[] = [
  ["/job-take-batch/", "take-batch"],
  ["/job-take/", "take"],
  ["/job-stop/", "stop"],
  ["/job-done/", "done"],
  ["/job-stream/", "stream"],
  ["/ping/", "ping"],
];

/** Less than a test may take, so that the message says more than that it took too long. */
const HANG_MS = 240_000;

/** A platform that hands out queued jobs, holds polls, accepts every post, and records everything. */
export class StubPlatform {
  readonly requests: RecordedRequest[] = [];
  /** How long a poll is held before 204. */
  holdMs = 5_000;
  readonly #server: Server;
  readonly #jobs: unknown[] = [];
  readonly #stops: string[] = [];
  readonly #responders = new Map<StubRoute, Responder>();
  readonly #watchers = new Set<() => void>();

  private constructor() {
    // A ping may carry 64 KiB of ids, four times Node's default limit.
    const limits = { maxHeaderSize: 256 * 1024 };
    this.#server = createServer(limits, (message, response) => void this.#serve(message, response));
    this.#server.keepAliveTimeout = 60_000;
  }

  static async open(port = 0): Promise<StubPlatform> {
    const stub = new StubPlatform();
    await new Promise<void>((resolve) => void stub.#server.listen(port, "127.0.0.1", resolve));
    return stub;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The environment of a worker of this platform. */
  env(overrides: Readonly<Record<string, string | undefined>> = {}): Record<string, string | undefined> {
    const base = `${this.origin}/v2/ep`;
    return {
      RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID?gpu=NVIDIA+L4`,
      RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID?gpu=NVIDIA+L4`,
      RUNPOD_WEBHOOK_POST_STREAM: `${base}/job-stream/$RUNPOD_POD_ID/$ID?gpu=NVIDIA+L4`,
      RUNPOD_WEBHOOK_PING: `${base}/ping/$RUNPOD_POD_ID?gpu=NVIDIA+L4`,
      RUNPOD_AI_API_KEY: "secret-api-key",
      RUNPOD_POD_ID: "pod1",
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
      RUNPOD_SKIP_GPU_CHECK: "true",
      ...overrides,
    };
  }

  queue(...jobs: readonly unknown[]): void {
    this.#jobs.push(...jobs);
    this.#wake();
  }

  stop(...jobIds: readonly string[]): void {
    this.#stops.push(...jobIds);
    this.#wake();
  }

  /** Overrides the answer of a route. */
  respond(route: StubRoute, responder: Responder | undefined): void {
    if (responder === undefined) this.#responders.delete(route);
    else this.#responders.set(route, responder);
  }

  /** Answers a route with these responders, one request each, then as usual. */
  respondInTurn(route: StubRoute, responders: readonly Responder[]): void {
    const left = [...responders];
    this.respond(route, (request) => left.shift()?.(request) ?? false);
  }

  of(...routes: readonly StubRoute[]): readonly RecordedRequest[] {
    return this.requests.filter((request) => routes.includes(request.route));
  }

  /** Final posts, without progress updates. */
  get results(): readonly RecordedRequest[] {
    return this.of("done").filter((request) => (request.json as { status?: string }).status !== "IN_PROGRESS");
  }

  /** Waits until the condition holds. What hangs fails with the requests that came; a slow machine does not. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const endsAtMs = performance.now() + HANG_MS;
    while (!condition()) {
      if (performance.now() > endsAtMs) {
        const seen = this.requests.map((request) => `${request.method} ${request.target} ${request.body.slice(0, 80)}`);
        throw new Error(`Waited ${HANG_MS} ms for ${what}. Requests:\n${seen.slice(-20).join("\n")}`);
      }
      await wait(5);
    }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => void this.#server.close(resolve));
    this.#wake();
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const atMs = performance.now();
    const parts: Buffer[] = [];
    try {
      for await (const part of message) parts.push(part as Buffer);
    } catch {
      return;
    }
    const request = record(message, response, Buffer.concat(parts).toString("utf8"), atMs);
    this.requests.push(request);
    const isAnswered = (await this.#responders.get(request.route)?.(request)) ?? false;
    if (!isAnswered) await this.#answer(request);
  }

  async #answer(request: RecordedRequest): Promise<void> {
    const { route, response, query } = request;
    if (route === "take" || route === "take-batch") {
      await this.#hold(response, () => this.#jobs.length > 0);
      if (response.destroyed) return;
      const taken = this.#jobs.splice(0, route === "take" ? 1 : Number(query.get("batch_size")));
      if (taken.length === 0) empty(response);
      else json(response, route === "take" ? taken[0] : taken);
    } else if (route === "stop") {
      await this.#hold(response, () => this.#stops.length > 0);
      if (response.destroyed) return;
      if (this.#stops.length === 0) empty(response);
      else json(response, { jobsToStop: this.#stops.splice(0) });
    } else {
      json(response, {});
    }
  }

  async #hold(response: ServerResponse, isReady: () => boolean): Promise<void> {
    const endsAtMs = performance.now() + this.holdMs;
    while (!isReady() && !response.destroyed && this.#server.listening) {
      const leftMs = endsAtMs - performance.now();
      if (leftMs <= 0) return;
      await Promise.race([
        new Promise<void>((resolve) => void this.#watchers.add(resolve)),
        wait(Math.min(leftMs, 50)),
      ]);
    }
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}

/** Cuts the target at the first `?` or `&`, as the platform must (spec platform §12.1). */
function record(message: IncomingMessage, response: ServerResponse, body: string, atMs: number): RecordedRequest {
  const target = message.url ?? "";
  const cut = target.search(/[?&]/);
  const path = cut === -1 ? target : target.slice(0, cut);
  const query = new URLSearchParams(cut === -1 ? "" : target.slice(cut + 1));
  const route = ROUTES.find(([segment]) => path.includes(segment))?.[1] ?? "other";
  const { method = "", headers } = message;
  return { route, atMs, method, target, path, query, headers, body, json: parsed(body), response };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}

function empty(response: ServerResponse, status = 204, headers: Record<string, string> = {}): void {
  response.writeHead(status, headers).end();
}

/** A responder that answers with only a status. */
export function status(code: number, headers: Record<string, string> = {}): Responder {
  return ({ response }) => {
    empty(response, code, headers);
    return true;
  };
}

/** A responder that breaks the connection. */
export const reset: Responder = ({ response }) => {
  response.socket?.resetAndDestroy();
  return true;
};
