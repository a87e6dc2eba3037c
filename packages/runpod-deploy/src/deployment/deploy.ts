import type { RunpodClient } from "../api/client.ts";
import type {
  CreateEndpoint,
  CreateTemplate,
  Endpoint,
  Template,
  UpdateEndpoint,
  UpdateTemplate,
} from "../api/types.ts";
import { RunpodApiError } from "../errors.ts";
import { createOnce } from "./create-once.ts";
import { createBody, patchFor, targetOf, templateBody, type Change } from "./plan.ts";
import { DeploymentError, type DeploymentWish } from "./settings.ts";

/** One request that a deployment sends or would send. */
export type PlannedRequest =
  | { readonly method: "POST"; readonly path: "/v2/templates"; readonly body: CreateTemplate }
  | { readonly method: "POST"; readonly path: "/v2/serverless"; readonly body: CreateEndpoint }
  | { readonly method: "PATCH"; readonly path: string; readonly body: UpdateTemplate | UpdateEndpoint };

export interface DeploymentPlan {
  /** What is deployed now; null when it will be created. */
  readonly endpoint: Endpoint | null;
  readonly template: Template | null;
  readonly requests: readonly PlannedRequest[];
  /** How a deployed endpoint changes; empty for a new one. */
  readonly changes: readonly Change[];
}

export interface Deployed {
  readonly endpoint: Endpoint;
  readonly outcome: "created" | "updated" | "unchanged";
  readonly changes: readonly Change[];
}

/** Stands for the id that a template will get, in the plan of a first deployment. */
const TEMPLATE_ID_TO_COME = "(id of the template)";

/**
 * What deploying would do, without doing it.
 *
 * @throws {DeploymentError} when the wish makes no sense or several endpoints have the name
 * @throws {RunpodApiError} when the account cannot be read
 */
export async function planDeployment(client: RunpodClient, wish: DeploymentWish): Promise<DeploymentPlan> {
  const endpoint = await findEndpoint(client, wish.name, wish.id);
  // Before anything else is asked: a wish that makes no sense should say so first.
  targetOf(wish, endpoint);
  return planFrom(wish, endpoint, await findTemplate(client, wish.name));
}

/** The plan for what is deployed, without asking: null and null plan a first deployment. */
export function planFrom(wish: DeploymentWish, endpoint: Endpoint | null, template: Template | null): DeploymentPlan {
  const target = targetOf(wish, endpoint);
  const body = templateBody(wish.name, target);
  const requests: PlannedRequest[] = [];
  if (template !== null) {
    const patch = templatePatch(template, body);
    if (patch !== null) requests.push({ method: "PATCH", path: `/v2/templates/${template.id}`, body: patch });
  } else if (endpoint === null) {
    requests.push({ method: "POST", path: "/v2/templates", body });
  }
  if (endpoint === null) {
    const templateId = template?.id ?? TEMPLATE_ID_TO_COME;
    requests.push({ method: "POST", path: "/v2/serverless", body: createBody(wish, target, templateId) });
    return { endpoint, template, requests, changes: [] };
  }
  const { body: patch, changes } = patchFor(wish, endpoint, target);
  if (changes.length > 0) requests.push({ method: "PATCH", path: `/v2/serverless/${endpoint.id}`, body: patch });
  return { endpoint, template, requests, changes };
}

/**
 * Creates or updates endpoint and template. Running it again changes nothing; after a failure, running it again goes on. A
 * template that was made for an endpoint that RunPod refuses goes away again.
 *
 * @throws {DeploymentError} when the wish makes no sense or several endpoints have the name; nothing was changed
 * @throws {RunpodApiError} when a request fails
 */
export async function deploy(client: RunpodClient, wish: DeploymentWish): Promise<Deployed> {
  const plan = await planDeployment(client, wish);
  const target = targetOf(wish, plan.endpoint);
  const template = await applyTemplate(client, wish, plan);
  if (plan.endpoint !== null) {
    const endpoint = await applyPatch(client, wish, plan.endpoint);
    return { endpoint, outcome: plan.requests.length > 0 ? "updated" : "unchanged", changes: plan.changes };
  }
  const body = createBody(wish, target, template?.id ?? "");
  let made: Endpoint;
  try {
    made = await createOnce({
      find: () => findEndpoint(client, wish.name, null),
      create: () => client.endpoints.create(body),
      sleep: (ms) => client.sleep(ms),
    });
  } catch (error) {
    const isRefused = error instanceof RunpodApiError && !error.isAmbiguous;
    if (isRefused && plan.template === null && template !== null) {
      await client.templates.remove(template.id).catch(() => false);
    }
    throw error;
  }
  // Also for one that an earlier, unanswered request of somebody else has made.
  return { endpoint: await applyPatch(client, wish, made), outcome: "created", changes: [] };
}

async function applyTemplate(
  client: RunpodClient,
  wish: DeploymentWish,
  plan: DeploymentPlan,
): Promise<Template | null> {
  const { template, endpoint } = plan;
  const body = templateBody(wish.name, targetOf(wish, endpoint));
  if (template === null) {
    // Endpoints keep no link to their template; one that is gone is missed by nobody.
    if (endpoint !== null) return null;
    return createOnce({
      find: () => findTemplate(client, wish.name),
      create: () => client.templates.create(body),
      sleep: (ms) => client.sleep(ms),
    });
  }
  const patch = templatePatch(template, body);
  return patch === null ? template : client.templates.update(template.id, patch);
}

async function applyPatch(client: RunpodClient, wish: DeploymentWish, endpoint: Endpoint): Promise<Endpoint> {
  const { body, changes } = patchFor(wish, endpoint, targetOf(wish, endpoint));
  return changes.length === 0 ? endpoint : client.endpoints.update(endpoint.id, body);
}

function templatePatch(template: Template, body: CreateTemplate): UpdateTemplate | null {
  const now: Partial<Record<string, unknown>> = { ...template };
  const differing = Object.entries(body).filter(([key, value]) => !isSameSetting(now[key], value));
  // Only fields of the container: the others are fixed at creation or do not matter to serverless.
  const names = ["image", "args", "disk", "ports", "env", "registry"];
  const patch = Object.fromEntries(differing.filter(([key]) => names.includes(key)));
  return Object.keys(patch).length === 0 ? null : patch;
}

function isSameSetting(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** JSON with sorted keys; what is left out is like what is empty. */
function canonical(value: unknown): string {
  if (value === undefined || value === null || value === "") return "null";
  if (typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return value.length === 0 ? "null" : JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? "null" : JSON.stringify(entries);
}

/**
 * The endpoint with this id, or the only one with this name, or null.
 *
 * @throws {DeploymentError} when several have the name, or none has the id
 */
export async function findEndpoint(client: RunpodClient, name: string, id: string | null): Promise<Endpoint | null> {
  if (id !== null) {
    const endpoint = await client.endpoints.get(id);
    if (endpoint === null) throw new DeploymentError("endpoint-missing", `there is no endpoint with the id ${id}`);
    return endpoint;
  }
  const all = await client.endpoints.list();
  const found = all.filter((endpoint) => endpoint.name === name || endpoint.name === `${name} -fb`);
  if (found.length <= 1) return found[0] ?? null;
  const ids = found.map((endpoint) => endpoint.id).join(", ");
  throw new DeploymentError(
    "name-ambiguous",
    `${found.length} endpoints have the name ${name}: say which by its id (${ids})`,
  );
}

/** The serverless template of this name, or null. */
export async function findTemplate(client: RunpodClient, name: string): Promise<Template | null> {
  const all = await client.templates.list();
  return all.find((template) => template.name === name && template.serverless) ?? null;
}
