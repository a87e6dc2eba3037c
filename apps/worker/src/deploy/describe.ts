import type { Change, DeploymentPlan, Endpoint, PlannedRequest, Worker } from "runpod-deploy";
import { maskedBody, shownValue } from "./worker-env.ts";

/** A request as `--dry-run` shows it, without what is secret. */
export interface ShownRequest {
  readonly method: string;
  readonly url: string;
  readonly body: object;
}

export function shownRequest({ method, path, body }: PlannedRequest, baseUrl: string): ShownRequest {
  return { method, url: `${baseUrl.replace(/\/+$/, "")}${path}`, body: maskedBody(body) };
}

export function requestText({ method, url, body }: ShownRequest): string {
  return `${method} ${url}\nAuthorization: Bearer ***\n${JSON.stringify(body, null, 2)}\n`;
}

/** `workers.max: 9 → 3`, one a line; variables only as far as they are not secret. */
export function changesText(changes: readonly Change[]): string {
  return changes.map(({ field, from, to }) => `  ${field}: ${shown(field, from)} → ${shown(field, to)}\n`).join("");
}

/** The same for `--json`. */
export function shownChanges(changes: readonly Change[]): object[] {
  return changes.map(({ field, from, to }) => ({ field, from: shown(field, from), to: shown(field, to) }));
}

function shown(field: string, value: unknown): string {
  if (value === undefined) return "nothing";
  if (field.startsWith("env."))
    return shownValue(field.slice("env.".length), typeof value === "string" ? value : JSON.stringify(value));
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  return typeof value === "string" ? (value === "" ? "none" : value) : JSON.stringify(value);
}

/** What a plan leaves as it is although the defaults differ is not said; what it does is. */
export function planSummary({ endpoint, requests }: DeploymentPlan): string {
  if (requests.length === 0) return "Nothing to do: everything is as wanted.\n";
  const what = endpoint === null ? "would be created" : `(${endpoint.id}) would be updated`;
  return `Nothing was sent. The endpoint ${what} with ${requests.length === 1 ? "this request" : `these ${requests.length} requests`}:\n\n`;
}

/** An endpoint without the values of its secrets, as JSON. */
export function shownEndpoint(endpoint: Endpoint): object {
  return maskedBody(endpoint);
}

/** The address that jobs or requests go to, or null for an endpoint that RunPod gave none. */
export function mainUrl({ requestUrls }: Endpoint): string | null {
  return requestUrls?.["runSync"] ?? requestUrls?.["base"] ?? null;
}

/** Rows of `higgs deploy status`. */
export function statusRows(endpoint: Endpoint, workers: readonly Worker[]): string[][] {
  const { gpu, workers: limits, scaling, env = {} } = endpoint;
  const floor = gpu?.minCudaVersion ? `, CUDA ≥ ${gpu.minCudaVersion}` : "";
  const without = (gpu?.excludedTypes ?? []).length > 0 ? ` without ${(gpu?.excludedTypes ?? []).join(", ")}` : "";
  const idle = limits.idleTimeout === undefined ? "" : `, idle for ${limits.idleTimeout} s`;
  const scale =
    scaling.type === "QUEUE_DELAY"
      ? `queue delay ${scaling.queueDelay} s`
      : `${scaling.requestCount} requests a worker`;
  return [
    ["Endpoint", `${endpoint.name} (${endpoint.id}), ${endpoint.type ?? "QUEUE"}`],
    ["Image", endpoint.image ?? "unknown"],
    ["GPUs", `${(gpu?.pools ?? []).join(", ")} × ${gpu?.count ?? 0}${without}${floor}`],
    ["Workers", `${limits.min} … ${limits.max}${idle}; scaled by ${scale}; FlashBoot ${endpoint.flashboot}`],
    ["Running", workersText(workers)],
    ["Timeout", `${endpoint.timeout / 1000} s a job`],
    ["Volumes", endpoint.networkVolumes.join(", ") || "none"],
    ["Data centers", endpoint.dataCenterIds.join(", ") || "any"],
    [
      "Variables",
      Object.entries(env)
        .map(([name, value]) => `${name}=${shownValue(name, value)}`)
        .join(" ") || "none",
    ],
    ["Address", mainUrl(endpoint) ?? "unknown"],
  ];
}

function workersText(workers: readonly Worker[]): string {
  if (workers.length === 0) return "no workers";
  return workers
    .map(
      ({ id, status, gpuTypeId, isStale }) =>
        `${id} ${status}${(gpuTypeId ?? "") === "" ? "" : ` on ${gpuTypeId}`}${isStale ? " (old release)" : ""}`,
    )
    .join("; ");
}
