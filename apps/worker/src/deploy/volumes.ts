import { HiggsError } from "@higgs-worker/base";
import { createOnce, type RunpodClient, type Volume } from "runpod-deploy";

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

export interface VolumeWish {
  readonly name: string;
  readonly dataCenter: string;
  /** GB, 10 … 4096. */
  readonly sizeGb: number;
  /** Null for the data center's usual one. */
  readonly type: "STANDARD" | "HIGH_PERFORMANCE" | null;
}

export interface EnsuredVolume {
  readonly volume: Volume;
  readonly outcome: "created" | "grown" | "unchanged";
}

/**
 * The volume of this name: created if there is none, grown if it is too small.
 *
 * @throws {HiggsError} INVALID_INPUT when several have the name, or the one there is elsewhere or of another type
 * @throws {RunpodApiError} when a request fails
 */
export async function ensureVolume(client: RunpodClient, wish: VolumeWish): Promise<EnsuredVolume> {
  const find = async (): Promise<Volume | null> => {
    const found = (await client.volumes.list()).filter(({ name }) => name === wish.name);
    if (found.length > 1) throw refused(`${found.length} have this name (${found.map(({ id }) => id).join(", ")})`);
    return found[0] ?? null;
  };
  const there = await find();
  if (there === null) {
    const { name, dataCenter, sizeGb: size, type } = wish;
    const create = () => client.volumes.create({ name, size, dataCenter, ...(type !== null && { type }) });
    const volume = await createOnce({ find, create, sleep: (ms) => client.sleep(ms) });
    return { volume, outcome: "created" };
  }
  if (there.dataCenter !== wish.dataCenter) {
    throw refused(`${wish.name} is in ${there.dataCenter}, and volumes cannot move (got ${wish.dataCenter})`);
  }
  if (wish.type !== null && there.type !== undefined && there.type !== wish.type) {
    throw refused(`${wish.name} has the type ${there.type}, which cannot change (got ${wish.type})`);
  }
  if (there.size >= wish.sizeGb) return { volume: there, outcome: "unchanged" };
  return { volume: await client.volumes.update(there.id, { size: wish.sizeGb }), outcome: "grown" };
}

function refused(reason: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "create the network volume", reason);
}
