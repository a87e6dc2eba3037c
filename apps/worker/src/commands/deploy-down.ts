import { removeDeployment } from "runpod-deploy";
import { openAccount, openDeployContext, withRunpodErrors } from "../deploy/account.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { printJson } from "../terminal/print-json.ts";
import type { EndpointChoice } from "./deploy-status.ts";

export interface DeployDownArgs extends EndpointChoice {
  /** True also deletes the endpoint's network volumes with everything on them. */
  readonly withVolumes: boolean;
  readonly isJson: boolean;
}

/** `higgs deploy down`: deletes endpoint and template. */
export async function runDeployDown({ name, id, withVolumes, isJson }: DeployDownArgs, io: CommandIo): Promise<number> {
  const { config } = await openDeployContext(io);
  const client = openAccount(config, io.signal);
  const removed = await withRunpodErrors("delete the deployment", () =>
    removeDeployment(client, { name, id, withVolumes }),
  );
  if (isJson) {
    await printJson(io, removed);
    return EXIT_OK;
  }
  const lines = [
    removed.endpoint === null
      ? `There is no endpoint ${name}.`
      : `The endpoint ${name} (${removed.endpoint}) is deleted.`,
    ...(removed.template === null ? [] : [`Its template (${removed.template}) is deleted.`]),
    ...removed.volumes.map((volume) => `The volume ${volume} is deleted with everything on it.`),
    ...(removed.endpoint !== null && !withVolumes
      ? ["Network volumes are kept, and billed; --with-volumes deletes them too."]
      : []),
  ];
  await io.stdout.write(`${lines.join("\n")}\n`);
  return EXIT_OK;
}
