import { Hono, type Context } from "hono";
import { isServing, PING_STATUS, type HostHealth, type ServingState } from "../protocol/host-health.ts";
import { allowOrigins, mayShowDetails, refuseForeignPages, requireKey, type AccessRules } from "./access.ts";
import type { HttpEnvironment } from "./http-environment.ts";
import { answerOfError, PublicApiError } from "./public-api-error.ts";

export type Handle = (context: Context<HttpEnvironment>) => Response | Promise<Response>;

/**
 * An app without routes besides the open ones: everything that is added later needs the key, even paths that do not exist.
 * `GET` routes in `open` need none; they decide with `mayShowDetails` what they show. The routes of `doors` come first and see
 * to their access themselves.
 */
export function createGuardedApp(
  rules: AccessRules,
  open: Readonly<Record<string, Handle>>,
  doors: readonly Hono<HttpEnvironment>[] = [],
): Hono<HttpEnvironment> {
  const app = new Hono<HttpEnvironment>();
  app.onError(answerOfError);
  app.notFound(() => answerOfError(new PublicApiError("NOT_FOUND", "not found")));
  app.use("*", allowOrigins(rules));
  for (const door of doors) app.route("/", door);
  app.use("*", refuseForeignPages(rules));
  for (const [path, handle] of Object.entries(open)) app.get(path, handle);
  app.use("*", requireKey(rules));
  return app;
}

export interface ProbeOptions {
  readonly health?: (() => HostHealth) | undefined;
  /** A path that is answered as `/ping` is. */
  readonly healthPath?: string | undefined;
}

/** `/ping` for load balancers and `/ready` for everyone else: 503 until jobs can be done, with the reason behind the key. */
export function probeRoutes(
  rules: AccessRules,
  state: () => ServingState,
  { health, healthPath = "/ping" }: ProbeOptions,
): Readonly<Record<string, Handle>> {
  const ping: Handle = (context) => context.body(null, PING_STATUS[state()]);
  return {
    "/ping": ping,
    "/ready": (context) => {
      const now = state();
      const details = mayShowDetails(context, rules) ? { checks: health?.().checks } : {};
      return context.json({ status: now, ...details }, isServing(now) ? 200 : 503);
    },
    [healthPath]: ping,
  };
}
