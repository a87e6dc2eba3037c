import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener, type HttpBindings } from "@hono/node-server";

export interface HttpServerOptions {
  readonly fetch: (request: Request, environment: HttpBindings) => Response | Promise<Response>;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** How long a client may leave an answer unread before its connection is closed, in milliseconds; 60 000 unless given. */
  readonly unreadTimeoutMs?: number | undefined;
  /** Takes over the connection of a request for a WebSocket; without it such a request is answered as any other. */
  readonly onUpgrade?: UpgradeHandler | undefined;
}

/** Answers a request to change the protocol, or destroys its connection, which is closed with the server. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** A server that listens. */
export interface HttpServer {
  /** Without a slash at the end, for example `http://localhost:8000`. */
  readonly url: string;
  readonly port: number;
  /** Closes the port and all connections; nothing else changes. */
  suspend(): Promise<void>;
  /** Opens the same port again. */
  resume(): Promise<void>;
  /** Gives answers being written up to a second, then closes everything. */
  close(): Promise<void>;
}

/** Longer than clients keep idle connections, so that none is closed while a request is on its way. */
const KEEP_ALIVE_MS = 75_000;
const CLOSE_LIMIT_MS = 1000;
/** Requests of one connection that may wait for those before them; a client that sends more ahead is cut off. */
const MAX_PIPELINED_REQUESTS = 16;
/** How long the rest of an answer that is done waits for a client that reads nothing of it. */
const DEFAULT_UNREAD_TIMEOUT_MS = 60_000;

/**
 * Starts a server on `host` and `port`.
 *
 * @throws {Error} from Node's `listen`, such as EADDRINUSE
 */
export async function listenHttp(options: HttpServerOptions): Promise<HttpServer> {
  const { fetch, host, unreadTimeoutMs = DEFAULT_UNREAD_TIMEOUT_MS } = options;
  const listener = getRequestListener((request, environment) => fetch(request, environment as HttpBindings), {
    overrideGlobalObjects: false,
  });
  const open = new Set<ServerResponse>();
  const inTurn = takeTurns();
  const server = createServer((request, response) => {
    open.add(response);
    response.once("close", () => open.delete(response));
    response.once("prefinish", () => {
      response.setTimeout(unreadTimeoutMs, () => request.socket.destroy());
    });
    inTurn(request, response, () => void listener(request, response));
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const upgraded = new Set<Duplex>();
  const { onUpgrade } = options;
  if (onUpgrade !== undefined) {
    server.on("upgrade", (request, socket, head) => {
      if (request.headers.upgrade?.toLowerCase() !== "websocket") {
        readAgain(server, request, socket, head);
        return;
      }
      upgraded.add(socket);
      socket.once("close", () => upgraded.delete(socket));
      onUpgrade(request, socket, head);
    });
  }
  const closeAll = (): void => {
    server.closeAllConnections();
    // Node no longer counts these as the server's.
    for (const socket of upgraded) socket.destroy();
  };
  await listen(server, host, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    suspend: async () => {
      const closed = closeListener(server);
      closeAll();
      await closed;
    },
    resume: () => listen(server, host, port),
    close: async () => {
      const closed = closeListener(server);
      await answersOf(open);
      closeAll();
      await closed;
    },
  };
}

/**
 * Has the requests of one connection answered one after the other, as the client gets the answers: of those sent ahead, Node
 * would have all answers made and kept until the client has read the first.
 */
function takeTurns(): (request: IncomingMessage, response: ServerResponse, answer: () => void) => void {
  const waiting = new WeakMap<Socket, (() => void)[]>();
  return ({ socket }, response, answer) => {
    const next = waiting.get(socket) ?? [];
    const isFirst = !waiting.has(socket);
    const start = (): void => {
      response.once("close", () => {
        const following = socket.destroyed ? undefined : next.shift();
        if (following === undefined) waiting.delete(socket);
        else following();
      });
      answer();
    };
    if (isFirst) {
      waiting.set(socket, next);
      start();
    } else if (next.push(start) > MAX_PIPELINED_REQUESTS) {
      socket.destroy();
    }
  };
}

/**
 * Has a request that offers another protocol answered as if it did not, which is allowed (RFC 9110, section 7.8): Java's client and curl
 * offer HTTP/2 with every first request, and Node hands all of them over once it hands over any.
 */
function readAgain(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    if (!OFFER_HEADERS.has(name.toLowerCase())) text += `${name}: ${value}\r\n`;
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, "latin1"), head]));
  server.emit("connection", socket);
}

/** `connection` says no more than that there is an offer. */
const OFFER_HEADERS: ReadonlySet<string> = new Set(["upgrade", "http2-settings", "connection"]);

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function closeListener(server: Server): Promise<void> {
  // The error of a server that is already closed is fine.
  return new Promise((resolve) => void server.close(() => resolve()));
}

/** Waits briefly until open answers have been written. */
async function answersOf(open: ReadonlySet<ServerResponse>): Promise<void> {
  const written = Promise.all([...open].map((response) => new Promise((resolve) => response.once("close", resolve))));
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, CLOSE_LIMIT_MS);
  });
  await Promise.race([written, limit]);
  clearTimeout(timer);
}
