import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Hono } from "hono";
import { ByteGatherer } from "../network/byte-gatherer.ts";
import { Delivery } from "../public-api/http-environment.ts";
import type { Exchange, ExchangeLog } from "./exchange-log.ts";
import { applyFault } from "./fault-actions.ts";
import type { Faults } from "./faults.ts";
import type { EmulatorEnvironment } from "./worker-routes.ts";

/** Largest request in bytes, regardless of what a route allows. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export interface EmulatorFetchOptions {
  readonly app: Hono<EmulatorEnvironment>;
  readonly log: ExchangeLog;
  readonly faults: Faults;
  /** Paths that are neither recorded nor affected by faults. */
  readonly isControl: (target: string) => boolean;
}

/** The path of each request: read, recorded, frozen or faulted if a test says so, then handled by the routes. */
export function createEmulatorFetch(options: EmulatorFetchOptions) {
  const { app, log, isControl } = options;
  return async (request: Request, environment: HttpBindings): Promise<Response> => {
    const atMs = performance.timeOrigin + performance.now();
    const { incoming, outgoing } = environment;
    const body = await readBody(incoming);
    if (body === undefined) return Response.json({ error: "the request could not be read" }, { status: 413 });
    const delivery = new Delivery();
    delivery.watch(outgoing);
    if (isControl(incoming.url ?? "")) {
      const exchange = log.describe(incoming, atMs, "");
      return callRoutes(app, request, { ...environment, body, delivery, exchange, isDuplicated: false });
    }
    const exchange = log.begin(incoming, atMs, body.toString("utf8"));
    return answer(options, outgoing, delivery, exchange, (isDuplicated) =>
      callRoutes(app, request, { ...environment, body, delivery, exchange, isDuplicated }),
    );
  };
}

async function answer(
  { faults, log }: EmulatorFetchOptions,
  outgoing: ServerResponse,
  delivery: Delivery,
  exchange: Exchange,
  process: (isDuplicated: boolean) => Promise<Response>,
): Promise<Response> {
  outgoing.once("close", () => {
    exchange.isAborted = exchange.status === undefined;
    log.changed();
  });
  await faults.untilThawed(exchange.route);
  if (outgoing.destroyed) return RESPONSE_ALREADY_SENT;
  const strike = faults.strike(exchange);
  exchange.fault = strike?.action.kind;
  if (strike !== undefined) log.changed();
  const response = await (strike === undefined
    ? process(false).then((normal) => ({ response: normal, status: normal.status }))
    : applyFault(strike, { outgoing, delivery, process }));
  if (!outgoing.destroyed || response.status !== undefined) {
    exchange.status = response.status;
    exchange.answeredAtMs = performance.timeOrigin + performance.now();
  }
  log.changed();
  return response.response;
}

async function callRoutes(
  app: Hono<EmulatorEnvironment>,
  request: Request,
  environment: EmulatorEnvironment["Bindings"],
): Promise<Response> {
  const { method, url, signal } = request;
  const hasBody = method !== "GET" && method !== "HEAD";
  const copy = new Request(url, {
    method,
    headers: new Headers(request.headers),
    signal,
    ...(hasBody ? { body: environment.body } : {}),
  });
  return app.fetch(copy, environment);
}

/** The body; undefined if it is too large or broke off. */
async function readBody(incoming: IncomingMessage): Promise<Buffer<ArrayBuffer> | undefined> {
  const gathered = new ByteGatherer();
  try {
    for await (const part of incoming as AsyncIterable<Buffer>) {
      if (gathered.byteCount + part.length > MAX_BODY_BYTES) return undefined;
      gathered.add(part);
    }
  } catch {
    return undefined;
  }
  return gathered.concat();
}
