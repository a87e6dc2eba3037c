import { createGuardedApp } from "../public-api/guarded-app.ts";
import { listenHttp, type HttpServer, type UpgradeHandler } from "../public-api/http-server.ts";
import { isLoopbackHost } from "../network/public-address.ts";
import { LocalApi, type DoorHost, type LocalApiOptions } from "./local-api.ts";

export interface LocalApiServerOptions extends Omit<LocalApiOptions, "isLoopbackOnly"> {
  /** The address to bind. Default `localhost`. */
  readonly host?: string;
  /** 0 for any free port. */
  readonly port: number;
  /** A second port, for health checks only; 0 for any free one. Default: they come to `port`. */
  readonly healthPort?: number | undefined;
  /** Takes over requests to change the protocol, such as WebSocket. Default: they are answered as any other. */
  readonly onUpgrade?: ((host: DoorHost) => UpgradeHandler) | undefined;
}

/** A local API that listens. */
export interface LocalApiServer {
  readonly api: LocalApi;
  /** Without a slash at the end, for example `http://localhost:8000`. */
  readonly url: string;
  readonly port: number;
  /** The address of the health checks; the same unless they have a port of their own. */
  readonly healthUrl: string;
  /** Ends as `LocalApi.close` does, then closes the port and all connections. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Serves RunPod's public API over a handler (spec platform §5.6).
 *
 * @throws {Error} from Node's `listen`, such as EADDRINUSE
 */
export async function serveLocalApi(options: LocalApiServerOptions): Promise<LocalApiServer> {
  const host = options.host ?? "localhost";
  const isLoopbackOnly = isLoopbackHost(host);
  // A server bound to loopback may call this machine for its clients, who can do so anyway.
  const webhooks = { allowsPrivate: isLoopbackOnly, ...options.webhooks };
  const api = new LocalApi({ ...options, webhooks, isLoopbackOnly });
  const open: HttpServer[] = [];
  const listen = async (
    fetch: typeof api.app.fetch,
    wanted: number,
    onUpgrade?: UpgradeHandler,
  ): Promise<HttpServer> => {
    const server = await listenHttp({ fetch, host, port: wanted, onUpgrade });
    open.push(server);
    return server;
  };
  try {
    const server = await listen(api.app.fetch, options.port, options.onUpgrade?.(api.doorHost));
    const { healthPort } = options;
    const hasOwn = healthPort !== undefined && healthPort !== options.port;
    const health = hasOwn ? await listen(createGuardedApp(options, api.probes).fetch, healthPort) : server;
    return {
      api,
      url: server.url,
      port: server.port,
      healthUrl: health.url,
      close: async (graceMs = 0) => {
        await api.close(graceMs);
        await Promise.all(open.map((each) => each.close()));
      },
    };
  } catch (error) {
    await api.close();
    await Promise.all(open.map((each) => each.close()));
    throw error;
  }
}
