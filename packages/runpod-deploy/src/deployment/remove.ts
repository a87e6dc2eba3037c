import type { RunpodClient } from "../api/client.ts";
import { RunpodApiError } from "../errors.ts";
import { findEndpoint, findTemplate } from "./deploy.ts";

export interface RemoveOptions {
  readonly name: string;
  readonly id: string | null;
  /** True also deletes the endpoint's network volumes with everything on them. */
  readonly withVolumes: boolean;
}

/** What was deleted, by id. */
export interface Removed {
  readonly endpoint: string | null;
  readonly template: string | null;
  readonly volumes: readonly string[];
}

/** A volume is in use until its last worker has ended. */
const VOLUME_WAITS_MS = [2000, 4000, 8000, 16_000, 30_000];

/**
 * Deletes endpoint, template and, if wanted, volumes. What is gone already counts as deleted, so that it can be run again.
 *
 * @throws {DeploymentError} when several endpoints have the name
 * @throws {RunpodApiError} when RunPod refuses
 */
export async function removeDeployment(client: RunpodClient, options: RemoveOptions): Promise<Removed> {
  const { name, id, withVolumes } = options;
  const endpoint = await findEndpoint(client, name, id);
  if (endpoint !== null) await client.endpoints.remove(endpoint.id);
  const template = await findTemplate(client, endpoint?.name.replace(/ -fb$/, "") ?? name);
  const hasTemplate = template !== null && (await client.templates.remove(template.id));
  const volumes: string[] = [];
  for (const volume of withVolumes ? (endpoint?.networkVolumes ?? []) : []) {
    if (await removeVolume(client, volume)) volumes.push(volume);
  }
  return { endpoint: endpoint?.id ?? null, template: hasTemplate ? template.id : null, volumes };
}

/** Deletes a volume as soon as nothing uses it. False when there was none. */
export async function removeVolume(client: RunpodClient, id: string): Promise<boolean> {
  for (let tries = 0; ; tries++) {
    try {
      return await client.volumes.remove(id);
    } catch (error) {
      const pauseMs = VOLUME_WAITS_MS[tries];
      const isInUse = error instanceof RunpodApiError && (error.failure === "conflict" || error.failure === "refused");
      if (!isInUse || pauseMs === undefined) throw error;
      await client.sleep(pauseMs);
    }
  }
}
