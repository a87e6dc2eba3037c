/** A request target, as the platform's servers read it. */
export interface RequestTarget {
  /** What comes before the query, not decoded. */
  readonly path: string;
  /** What follows, including its first `?` or `&`. */
  readonly query: URLSearchParams;
}

/**
 * Cuts a target at its first `?` or `&`: workers append `&…` to templates that may have no query (spec platform §3.1
 * and 12.1).
 */
export function parseTarget(target: string): RequestTarget {
  const cut = target.search(/[?&]/);
  if (cut === -1) return { path: target, query: new URLSearchParams() };
  // Behind a cut at `&` the template's own `?` may still follow.
  const rest = target.slice(cut + 1);
  const query = target[cut] === "&" ? rest.replace("?", "&") : rest;
  return { path: target.slice(0, cut), query: new URLSearchParams(query) };
}

/** The path up to the `?` alone: right for a job id that has `&` in it. */
export function pathBeforeQuestionMark(target: string): string {
  const cut = target.indexOf("?");
  return cut === -1 ? target : target.slice(0, cut);
}

/** The routes of workers. */
export const WORKER_ROUTES = ["job-take", "job-take-batch", "job-stop", "job-done", "job-stream", "ping"] as const;

export type WorkerRoute = (typeof WORKER_ROUTES)[number];

const PUBLIC_ROUTES = [
  "run",
  "runsync",
  "status",
  "status-sync",
  "stream",
  "cancel",
  "retry",
  "purge-queue",
  "health",
  "requests",
  "openai",
] as const;

export type PublicRoute = (typeof PUBLIC_ROUTES)[number];

/** All names of routes. */
export const ROUTE_NAMES = [...WORKER_ROUTES, ...PUBLIC_ROUTES, "other"] as const;

/** The name of a route; `other` for everything that the emulator does not serve to workers or clients. */
export type RouteName = WorkerRoute | PublicRoute | "other";

/** True for the routes that workers call. */
export function isWorkerRoute(route: RouteName): route is WorkerRoute {
  return (WORKER_ROUTES as readonly string[]).includes(route);
}

/** A path by its parts: `/v2/{endpoint}/{route}/{…}` or the same without `/v2`. */
export interface RoutedPath {
  readonly route: RouteName;
  readonly endpointId: string | undefined;
  /** What follows the route, decoded: worker and job, or job. */
  readonly rest: readonly string[];
}

export function routePath(path: string): RoutedPath {
  const segments = path.split("/").slice(1).map(decodeSegment);
  const offset = segments[0] === "v2" ? 1 : 0;
  const places = [
    [0, undefined],
    [offset + 1, segments[offset]],
  ] as const;
  for (const [position, endpointId] of places) {
    const route = ROUTE_NAMES.find((name) => name === segments[position]);
    if (route !== undefined) return { route, endpointId, rest: segments.slice(position + 1) };
  }
  return { route: "other", endpointId: undefined, rest: [] };
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
