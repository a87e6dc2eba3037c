import {
  CREATE_ENDPOINT,
  CREATE_POD,
  CREATE_TEMPLATE,
  CREATE_VOLUME,
  UPDATE_ENDPOINT,
  UPDATE_TEMPLATE,
  UPDATE_VOLUME,
} from "./bodies.ts";
import { Refusal } from "./problems.ts";
import type { Check } from "./schema.ts";

/** One operation of REST v2 with what its path names. */
export interface Route {
  readonly name: string;
  /** What the body must be; undefined for requests without one. */
  readonly check: Check | undefined;
  /** "" when the path has none. */
  readonly id: string;
  readonly subId: string;
}

type Operation = readonly [name: string, check?: Check];

const PATHS: readonly (readonly [path: RegExp, operations: Readonly<Record<string, Operation>>])[] = [
  [/^\/v2\/serverless$/, { GET: ["list-endpoints"], POST: ["create-endpoint", CREATE_ENDPOINT] }],
  [
    /^\/v2\/serverless\/([^/]+)$/,
    { GET: ["get-endpoint"], PATCH: ["update-endpoint", UPDATE_ENDPOINT], DELETE: ["delete-endpoint"] },
  ],
  [/^\/v2\/serverless\/([^/]+)\/workers$/, { GET: ["list-workers"] }],
  [/^\/v2\/serverless\/([^/]+)\/workers\/([^/]+)\/logs$/, { GET: ["worker-logs"] }],
  [/^\/v2\/templates$/, { GET: ["list-templates"], POST: ["create-template", CREATE_TEMPLATE] }],
  [
    /^\/v2\/templates\/([^/]+)$/,
    { GET: ["get-template"], PATCH: ["update-template", UPDATE_TEMPLATE], DELETE: ["delete-template"] },
  ],
  [/^\/v2\/network-volumes$/, { GET: ["list-volumes"], POST: ["create-volume", CREATE_VOLUME] }],
  [
    /^\/v2\/network-volumes\/([^/]+)$/,
    { GET: ["get-volume"], PATCH: ["update-volume", UPDATE_VOLUME], DELETE: ["delete-volume"] },
  ],
  [/^\/v2\/pods$/, { GET: ["list-pods"], POST: ["create-pod", CREATE_POD] }],
  [/^\/v2\/pods\/([^/]+)$/, { GET: ["get-pod"], DELETE: ["delete-pod"] }],
  [/^\/v2\/pods\/([^/]+)\/logs$/, { GET: ["pod-logs"] }],
  [/^\/v2\/catalog\/gpus$/, { GET: ["list-gpus"] }],
];

/** @throws {Refusal} 404 for an unknown path, 405 for a method that it does not have */
export function routeOf(method: string, path: string): Route {
  for (const [pattern, operations] of PATHS) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const operation = operations[method];
    if (operation === undefined) throw new Refusal(405, "The requested method is not allowed for this path.");
    const [id = "", subId = ""] = match.slice(1).map((part) => decodeURIComponent(part));
    return { name: operation[0], check: operation[1], id, subId };
  }
  throw new Refusal(404, "resource not found");
}
