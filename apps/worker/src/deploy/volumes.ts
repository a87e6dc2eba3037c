import { HiggsError } from "@higgs-worker/base";
import type { RunpodClient, Volume } from "runpod-deploy";

/**
 * The volume with this id, or the only one with this name.
 *
 * @throws {HiggsError} INVALID_INPUT when there is none, or several have the name
 * @throws {RunpodApiError} when RunPod cannot be asked
 */
export async function findVolume(client: RunpodClient, nameOrId: string): Promise<Volume> {
  const all = await client.volumes.list();
  const found = all.filter((volume) => volume.id === nameOrId);
  if (found.length === 0) found.push(...all.filter((volume) => volume.name === nameOrId));
  const [volume] = found;
  if (volume !== undefined && found.length === 1) return volume;
  const names = all.map(({ id, name }) => `${name} (${id})`).join(", ");
  const reason =
    volume === undefined
      ? `the account has none with this name or id (got ${nameOrId}; there ${all.length === 0 ? "are none" : `are ${names}`})`
      : `${found.length} have this name: say which by its id (${found.map(({ id }) => id).join(", ")})`;
  throw new HiggsError("INVALID_INPUT", "find the network volume", reason);
}
