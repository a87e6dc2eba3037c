import type { Hono } from "hono";
import { isLoopbackHost } from "../network/public-address.ts";
import type { HostHealth, ServingState } from "../protocol/host-health.ts";
import { mayShowDetails } from "../public-api/access.ts";
import { createGuardedApp, probeRoutes } from "../public-api/guarded-app.ts";
import type { HttpEnvironment } from "../public-api/http-environment.ts";
import { listenHttp, type HttpServer } from "../public-api/http-server.ts";

export interface StatusServerOptions {
  /** The address to bind. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Required for everything but `/ping`, and for the details of `/ready` and `/health`. */
  readonly apiKey?: string | undefined;
  readonly state: () => ServingState;
  readonly health: () => HostHealth;
  /** Facts for `/health`. */
  readonly about: () => Readonly<Record<string, unknown>>;
  /** Adds further routes; they need the key. */
  readonly mount: (app: Hono<HttpEnvironment>) => void;
}

/**
 * Serves `/ping`, `/ready`, `/health` and the host's own routes beside a worker on a queue, under the same rules of access
 * as the local API.
 *
 * @throws {Error} from Node's `listen`, such as EADDRINUSE
 */
export async function serveStatus(options: StatusServerOptions): Promise<HttpServer> {
  const { apiKey, host, port, state, health } = options;
  const rules = { apiKey, isLoopbackOnly: isLoopbackHost(host) };
  const app = createGuardedApp(rules, {
    ...probeRoutes(rules, state, { health }),
    "/health": (context) => {
      const status = state();
      if (!mayShowDetails(context, rules)) return context.json({ status });
      return context.json({ status, ...options.about(), checks: health().checks });
    },
  });
  options.mount(app);
  return listenHttp({ fetch: app.fetch, host, port });
}
