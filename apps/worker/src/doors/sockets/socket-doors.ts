import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { HiggsError } from "@higgs-worker/base";
import { checkForeignPage, type DoorHost, isAuthorized, PublicApiError, type UpgradeHandler } from "runpod-worker/http";
import type { WebSocket, WebSocketServer } from "ws";
import type { Logger } from "../../logging/logger.ts";
import { type DoorFailure, failureOf } from "../door-failure.ts";
import { SocketPeer } from "./socket-peer.ts";

/** One client of a door. */
export interface SocketSession {
  /** Takes a message. A failure that it throws ends the connection. */
  onMessage(data: Buffer, isBinary: boolean): void | Promise<void>;
  /** The connection is over: stops everything. */
  onClose(): void;
}

export interface SocketOpening {
  readonly peer: SocketPeer;
  /** Of the request; its path is the route's. */
  readonly query: URLSearchParams;
  /** Groups of the route's path. */
  readonly groups: Readonly<Record<string, string>>;
  /** False when the key is still to come in a message (only with `takesLateKey`). */
  readonly isAuthorized: boolean;
}

/** A path that speaks WebSocket. */
export interface SocketRoute {
  readonly path: RegExp;
  /** Headers that may carry the key. */
  readonly keyHeaders: readonly string[];
  /** Whether clients may send the key in their first message instead. */
  readonly takesLateKey: boolean;
  readonly maxMessageBytes: number;
  /** Of the answer that opens it. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** Puts a refusal into the form that the door's clients understand. */
  readonly failureBody: (failure: DoorFailure) => object;
  readonly open: (opening: SocketOpening) => SocketSession;
}

export interface SocketDoorsOptions {
  readonly host: DoorHost;
  readonly logger: Logger;
  readonly routes: readonly SocketRoute[];
  readonly maxSockets: number;
  readonly pingMs?: number;
  readonly stallTimeoutMs?: number;
}

/** Shorter than the minute after which proxies end connections that stand still. */
const DEFAULT_PING_MS = 20_000;
/** How long a client may leave what is ready unread: as long as any other answer. */
const DEFAULT_STALL_TIMEOUT_MS = 60_000;

/** Messages of one client that may wait while one is dealt with; then no more are read. */
const MAX_WAITING_MESSAGES = 32;

/** Refuses and opens the WebSockets of all doors, by the rules of the HTTP routes, and finds clients that are gone. */
export class SocketDoors {
  readonly #options: SocketDoorsOptions;
  readonly #servers = new Map<SocketRoute, Promise<WebSocketServer>>();
  /** Whether each has answered the last ping. */
  readonly #alive = new Map<WebSocket, boolean>();
  /** Connections that were taken, opening ones included. */
  #count = 0;
  #pings: NodeJS.Timeout | undefined;

  constructor(options: SocketDoorsOptions) {
    this.#options = options;
  }

  /** For the HTTP server. */
  readonly upgrade: UpgradeHandler = (request, socket, head) => {
    // Without a listener an error of the connection would end the process.
    socket.on("error", () => undefined);
    void this.#upgrade(request, socket, head);
  };

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = urlOf(request.url ?? "");
    const route = this.#options.routes.find(({ path }) => url !== null && path.test(url.pathname));
    try {
      if (url === null || route === undefined) {
        throw new PublicApiError("NOT_FOUND", "Cannot answer: there is no such WebSocket");
      }
      const isKnown = this.#admit(request.headers, route);
      this.#count += 1;
      socket.once("close", () => void (this.#count -= 1));
      const server = await this.#serverOf(route);
      server.handleUpgrade(request, socket, head, (client) => {
        const groups = route.path.exec(url.pathname)?.groups ?? {};
        this.#serve(client, route, { query: url.searchParams, groups, isAuthorized: isKnown });
      });
    } catch (error) {
      refuse(socket, failureOf(error), route);
    }
  }

  /** Whether the key was right; throws when the client may not even open a connection. */
  #admit(headers: IncomingHttpHeaders, { keyHeaders, takesLateKey }: SocketRoute): boolean {
    const { host, maxSockets } = this.#options;
    const header = (name: string): string | undefined => [headers[name]].flat()[0];
    checkForeignPage(header, host.access);
    const { apiKey } = host.access;
    const given = keyHeaders.map(header).filter((value) => value !== undefined);
    const isKnown = apiKey === undefined || given.some((value) => isAuthorized(value, apiKey));
    if (!isKnown && (!takesLateKey || given.length > 0)) {
      const message = `Cannot answer: the key is missing or wrong; send it in the header ${keyHeaders.join(" or ")}`;
      throw new PublicApiError("UNAUTHORIZED", message, { "www-authenticate": "Bearer" });
    }
    if (host.state() === "draining") throw new HiggsError("SHUTTING_DOWN", "open the WebSocket", "the server ends");
    if (this.#count >= maxSockets) {
      const why = `too many are open (limit ${maxSockets}, HIGGS_MAX_SOCKETS)`;
      throw new HiggsError("OVERLOADED", "open the WebSocket", why);
    }
    return isKnown;
  }

  #serverOf(route: SocketRoute): Promise<WebSocketServer> {
    const known = this.#servers.get(route) ?? createServer(route);
    this.#servers.set(route, known);
    return known;
  }

  #serve(client: WebSocket, route: SocketRoute, facts: Omit<SocketOpening, "peer">): void {
    const { host, logger, stallTimeoutMs = DEFAULT_STALL_TIMEOUT_MS } = this.#options;
    const peer = new SocketPeer(client, { budget: host.queue.answers, stallTimeoutMs });
    const session = route.open({ ...facts, peer });
    let turn = Promise.resolve();
    let waiting = 0;
    const onMessage = async (data: Buffer, isBinary: boolean): Promise<void> => {
      try {
        await session.onMessage(data, isBinary);
        waiting -= 1;
        if (client.isPaused && waiting === 0) client.resume();
      } catch (error) {
        const failure = failureOf(error);
        if (failure.code === "INTERNAL") logger.error("a WebSocket failed", { reason: String(error) });
        peer.close("failed", failure.code);
      }
    };
    client.on("message", (data, isBinary) => {
      this.#alive.set(client, true);
      waiting += 1;
      if (waiting >= MAX_WAITING_MESSAGES) client.pause();
      // A buffer unless the type of data is set otherwise.
      turn = turn.then(() => onMessage(data as Buffer, isBinary));
    });
    client.on("pong", () => this.#alive.set(client, true));
    // What the client did wrong is in the close frame that it gets.
    client.on("error", () => undefined);
    client.once("close", () => {
      this.#alive.delete(client);
      if (this.#alive.size === 0) this.#stopPings();
      session.onClose();
    });
    this.#alive.set(client, true);
    this.#pings ??= setInterval(() => this.#ping(), this.#options.pingMs ?? DEFAULT_PING_MS).unref();
  }

  #ping(): void {
    for (const [client, isAlive] of this.#alive) {
      if (!isAlive) client.terminate();
      else {
        this.#alive.set(client, false);
        client.ping();
      }
    }
  }

  #stopPings(): void {
    clearInterval(this.#pings);
    this.#pings = undefined;
  }
}

/** Loads the library when it is first needed. Compression costs more memory a connection than speech gains by it. */
async function createServer({ maxMessageBytes: maxPayload, responseHeaders }: SocketRoute): Promise<WebSocketServer> {
  const { WebSocketServer: Server } = await import("ws");
  const server = new Server({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload });
  const lines = Object.entries(responseHeaders).map(([name, value]) => `${name}: ${value}`);
  server.on("headers", (headers) => void headers.push(...lines));
  return server;
}

function urlOf(target: string): URL | null {
  const base = "http://localhost";
  return URL.canParse(target, base) ? new URL(target, base) : null;
}

/** Answers as HTTP, since the protocol has not changed yet. */
function refuse(socket: Duplex, failure: DoorFailure, route: SocketRoute | undefined): void {
  const { httpStatus, headers, code, message } = failure;
  const body = JSON.stringify(route?.failureBody(failure) ?? { error: message, code });
  const fields = {
    ...headers,
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${httpStatus} ${STATUS_CODES[httpStatus] ?? "Error"}\r\n${head.join("")}\r\n${body}`);
}
