import { HiggsError } from "@higgs-worker/base";
import { removeVolume, type Volume } from "runpod-deploy";
import { openAccount, openDeployContext, withRunpodErrors } from "../deploy/account.ts";
import { ensureVolume, findVolume, type VolumeWish } from "../deploy/volumes.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { alignColumns } from "../terminal/format.ts";
import { printJson } from "../terminal/print-json.ts";

/** `higgs volume create`: a volume of this name, as large as this. */
export async function runVolumeCreate(wish: VolumeWish & { readonly isJson: boolean }, io: CommandIo): Promise<number> {
  const { config } = await openDeployContext(io);
  const client = openAccount(config, io.signal);
  const { volume, outcome } = await withRunpodErrors("create the network volume", () => ensureVolume(client, wish));
  if (wish.isJson) await printJson(io, { outcome, volume });
  else await io.stdout.write(`${volume.name} (${volume.id}): ${outcome}, ${volume.size} GB in ${volume.dataCenter}\n`);
  return EXIT_OK;
}

/** `higgs volume list`: the account's volumes. */
export async function runVolumeList({ isJson }: { readonly isJson: boolean }, io: CommandIo): Promise<number> {
  const { config } = await openDeployContext(io);
  const client = openAccount(config, io.signal);
  const volumes = await withRunpodErrors("list the network volumes", () => client.volumes.list());
  if (isJson) await printJson(io, { volumes });
  else await io.stdout.write(volumes.length === 0 ? "There are no network volumes.\n" : `${table(volumes)}\n`);
  return EXIT_OK;
}

function table(volumes: readonly Volume[]): string {
  const rows = volumes.map(({ id, name, size, dataCenter, type }) => [name, id, `${size} GB`, dataCenter, type ?? ""]);
  return alignColumns([["Name", "Id", "Size", "Data center", "Type"], ...rows]);
}

export interface VolumeDeleteArgs {
  /** Name or id. */
  readonly volume: string;
  /** Whoever runs it knows that everything on it is lost. */
  readonly isSure: boolean;
  readonly isJson: boolean;
}

/** `higgs volume delete`: a volume with everything on it. */
export async function runVolumeDelete(
  { volume: name, isSure, isJson }: VolumeDeleteArgs,
  io: CommandIo,
): Promise<number> {
  const { config } = await openDeployContext(io);
  const client = openAccount(config, io.signal);
  return withRunpodErrors("delete the network volume", async () => {
    const volume = await findVolume(client, name);
    if (!isSure) {
      const reason = `everything on ${volume.name} (${volume.id}, ${volume.size} GB) would be lost: say --yes`;
      throw new HiggsError("INVALID_INPUT", "delete the network volume", reason);
    }
    await removeVolume(client, volume.id);
    if (isJson) await printJson(io, { deleted: volume.id });
    else await io.stdout.write(`The volume ${volume.name} (${volume.id}) is deleted.\n`);
    return EXIT_OK;
  });
}
