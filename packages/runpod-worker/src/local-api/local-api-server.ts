import { listenHttp, type HttpServer, type UpgradeHandler } from "../public-api/http-server.ts";
import { isLoopbackHost } from "../network/public-address.ts";
import { LocalApi, type DoorHost, type LocalApiOptions } from "./local-api.ts";

export interface LocalApiServerOptions extends Omit<LocalApiOptions, "isLoopbackOnly"> {
  /** The address to bind. Default `localhost`. */
  readonly host?: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Takes over requests to change the protocol, such as WebSocket. Default: they are answered as any other. */
  readonly onUpgrade?: ((host: DoorHost) => UpgradeHandler) | undefined;
}

/** A local API that listens. */
export interface LocalApiServer {
  readonly api: LocalApi;
  /** Without a slash at the end, for example `http://localhost:8000`. */
  readonly url: string;
  readonly port: number;
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
  let server: HttpServer;
  try {
    const onUpgrade = options.onUpgrade?.(api.doorHost);
    server = await listenHttp({ fetch: api.app.fetch, host, port: options.port, onUpgrade });
  } catch (error) {
    await api.close();
    throw error;
  }
  return {
    api,
    url: server.url,
    port: server.port,
    close: async (graceMs = 0) => {
      await api.close(graceMs);
      await server.close();
    },
  };
}
