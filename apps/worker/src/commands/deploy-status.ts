import { HiggsError } from "@higgs-worker/base";
import { type Endpoint, findEndpoint, type RunpodClient } from "runpod-deploy";
import { openAccount, openDeployContext, withRunpodErrors } from "../deploy/account.ts";
import { shownEndpoint, statusRows } from "../deploy/describe.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { alignColumns } from "../terminal/format.ts";
import { printJson } from "../terminal/print-json.ts";

export interface EndpointChoice {
  readonly name: string;
  readonly id: string | null;
}

/** `higgs deploy status`: what is deployed and which workers there are. */
export async function runDeployStatus(
  args: EndpointChoice & { readonly isJson: boolean },
  io: CommandIo,
): Promise<number> {
  const { config } = await openDeployContext(io);
  const client = openAccount(config, io.signal);
  return withRunpodErrors("read the deployment", async () => {
    const endpoint = await needEndpoint(client, args);
    const workers = await client.workers(endpoint.id);
    if (args.isJson) await printJson(io, { endpoint: shownEndpoint(endpoint), workers });
    else await io.stdout.write(`${alignColumns(statusRows(endpoint, workers))}\n`);
    return EXIT_OK;
  });
}

/**
 * The endpoint that is meant.
 *
 * @throws {HiggsError} RUNPOD_REFUSED when there is none
 */
export async function needEndpoint(client: RunpodClient, { name, id }: EndpointChoice): Promise<Endpoint> {
  const endpoint = await findEndpoint(client, name, id);
  if (endpoint !== null) return endpoint;
  throw new HiggsError(
    "RUNPOD_REFUSED",
    "find the endpoint",
    `the account has none with the name ${name}: \`higgs deploy\` makes it`,
  );
}
