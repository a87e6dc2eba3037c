import { createServer, type Server } from "node:http";
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
  /** Lets answers that are being written go out, for up to a second, then closes everything. */
  close(): Promise<void>;
}

/** Longer than clients keep idle connections, so that none is closed just when a request is on its way. */
const KEEP_ALIVE_MS = 75_000;
const CLOSE_LIMIT_MS = 1000;
const CLOSE_SWEEP_MS = 10;

/** @throws the error of `listen`, such as EADDRINUSE. */
export async function listenHttp(options: HttpServerOptions): Promise<HttpServer> {
  const { fetch, host } = options;
  const listener = getRequestListener((request, environment) => fetch(request, environment as HttpBindings), {
    overrideGlobalObjects: false,
  });
  const server = createServer((request, response) => void listener(request, response));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await listen(server, host, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    close: () => close(server),
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

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => void server.close(resolve));
  // A connection that has had its answer is idle, and would otherwise be kept until its client lets go.
  const sweep = setInterval(() => server.closeIdleConnections(), CLOSE_SWEEP_MS);
  const limit = setTimeout(() => server.closeAllConnections(), CLOSE_LIMIT_MS);
  await closed;
  clearInterval(sweep);
  clearTimeout(limit);
}
