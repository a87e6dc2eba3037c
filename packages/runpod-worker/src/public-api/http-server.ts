import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";

export interface HttpServerOptions {
  readonly fetch: (request: Request, environment: HttpBindings) => Response | Promise<Response>;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** A server that listens. */
export interface HttpServer {
  /** Without a slash at the end, for example `http://localhost:8000`. */
  readonly url: string;
  readonly port: number;
  /** Closes the port and breaks all connections; nothing else changes. */
  suspend(): Promise<void>;
  /** Opens the same port again. */
  resume(): Promise<void>;
  /** Lets answers that are being written go out, for up to a second, then closes everything. */
  close(): Promise<void>;
}

/** Longer than clients keep idle connections, so that none is closed just when a request is on its way. */
const KEEP_ALIVE_MS = 75_000;
const CLOSE_LIMIT_MS = 1000;

/** @throws the error of `listen`, such as EADDRINUSE. */
export async function listenHttp(options: HttpServerOptions): Promise<HttpServer> {
  const { fetch, host } = options;
  const listener = getRequestListener((request, environment) => fetch(request, environment as HttpBindings), {
    overrideGlobalObjects: false,
  });
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    open.add(response);
    response.once("close", () => open.delete(response));
    void listener(request, response);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await listen(server, host, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    suspend: async () => {
      const closed = closeListener(server);
      server.closeAllConnections();
      await closed;
    },
    resume: () => listen(server, host, port),
    close: async () => {
      const closed = closeListener(server);
      await answersOf(open);
      server.closeAllConnections();
      await closed;
    },
  };
}

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
  // A server that is closed already says so with an error, which is as good.
  return new Promise((resolve) => void server.close(() => resolve()));
}

/** Waits until the answers that are open have been written, but not for long. */
async function answersOf(open: ReadonlySet<ServerResponse>): Promise<void> {
  const written = Promise.all([...open].map((response) => new Promise((resolve) => response.once("close", resolve))));
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, CLOSE_LIMIT_MS);
  });
  await Promise.race([written, limit]);
  clearTimeout(timer);
}
