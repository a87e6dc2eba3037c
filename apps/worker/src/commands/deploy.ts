import {
  DEFAULT_BASE_URL,
  deploy,
  findEndpoint,
  KNOWN_CARDS,
  planDeployment,
  planFrom,
  type RunpodClient,
} from "runpod-deploy";
import { type DeployContext, openAccount, openDeployContext, withRunpodErrors } from "../deploy/account.ts";
import {
  changesText,
  mainUrl,
  planSummary,
  requestText,
  shownChanges,
  shownEndpoint,
  shownRequest,
} from "../deploy/describe.ts";
import { readEnvFile } from "../deploy/dot-env.ts";
import { findVolume } from "../deploy/volumes.ts";
import { type DeployFlags, type DeployMode, type WishParts, wishOf } from "../deploy/wish.ts";
import { workerEnv } from "../deploy/worker-env.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { printJson } from "../terminal/print-json.ts";

export interface DeployArgs {
  readonly flags: DeployFlags;
  /** Name or id of a network volume; null for none, or the one that is attached. */
  readonly volume: string | null;
  /** `NAME` or `NAME=value`. */
  readonly env: readonly string[];
  readonly envFile: string | null;
  readonly isDryRun: boolean;
  readonly isJson: boolean;
}

const SUBJECT = "deploy";

/** `higgs deploy`: creates or updates template and endpoint. */
export async function runDeploy(args: DeployArgs, io: CommandIo): Promise<number> {
  const context = await openDeployContext(io);
  const file = args.envFile === null ? {} : await readEnvFile(args.envFile);
  const env = workerEnv({ assignments: args.env, file }, context.env);
  if (args.isDryRun) return dryRun(args, env, context, io);
  const client = openAccount(context.config, io.signal);
  return withRunpodErrors(SUBJECT, async () => {
    const wish = wishOf(args.flags, await partsOf(client, args, env));
    const { endpoint, outcome, changes } = await deploy(client, wish);
    if (args.isJson) {
      await printJson(io, { outcome, changes: shownChanges(changes), endpoint: shownEndpoint(endpoint) });
      return EXIT_OK;
    }
    await io.stdout.write(`${endpoint.name} (${endpoint.id}): ${outcome}\n${changesText(changes)}`);
    const url = mainUrl(endpoint);
    if (url !== null) await io.stdout.write(`Address: ${url}\n`);
    await io.stderr.write(adviceOf(args, endpoint.networkVolumes.length > 0));
    return EXIT_OK;
  });
}

/** Without a key the account counts as empty: the requests are those of a first deployment. */
async function dryRun(
  args: DeployArgs,
  env: Readonly<Record<string, string>>,
  { config }: DeployContext,
  io: CommandIo,
): Promise<number> {
  const client = config.runpodApiKey === null ? null : openAccount(config, io.signal);
  const plan = await withRunpodErrors(SUBJECT, async () => {
    if (client !== null) return planDeployment(client, wishOf(args.flags, await partsOf(client, args, env)));
    const volume = args.volume === null ? null : { id: `(id of ${args.volume})`, dataCenter: "(its data center)" };
    return planFrom(
      wishOf(args.flags, { mode: args.flags.mode ?? "queue", env, volume, catalog: KNOWN_CARDS }),
      null,
      null,
    );
  });
  const requests = plan.requests.map((request) => shownRequest(request, config.runpodApiUrl ?? DEFAULT_BASE_URL));
  if (args.isJson) {
    await printJson(io, { requests, changes: shownChanges(plan.changes), isAccountRead: client !== null });
    return EXIT_OK;
  }
  const note = client === null ? "RUNPOD_API_KEY is not set, so this is the plan for an empty account.\n" : "";
  await io.stderr.write(note + planSummary(plan) + changesText(plan.changes));
  await io.stdout.write(requests.map(requestText).join("\n"));
  return EXIT_OK;
}

async function partsOf(
  client: RunpodClient,
  { volume, flags }: DeployArgs,
  env: Readonly<Record<string, string>>,
): Promise<WishParts> {
  return {
    mode: flags.mode ?? (await deployedMode(client, flags)),
    env,
    volume: volume === null ? null : await findVolume(client, volume),
    // Only asked for where it is needed: it says which cards are in the pools today.
    catalog: flags.gpus.length === 0 ? [] : await client.gpuTypes(),
  };
}

/** What is deployed already keeps its type, which RunPod cannot change. */
async function deployedMode(client: RunpodClient, { name, id }: DeployFlags): Promise<DeployMode> {
  const endpoint = await findEndpoint(client, name, id);
  return endpoint?.type === "LOAD_BALANCER" ? "lb" : "queue";
}

/** What is still to be done for speech. */
function adviceOf({ flags }: DeployArgs, hasVolume: boolean): string {
  if (flags.usesCachedModels) {
    return (
      "REST v2 has no field for cached models yet. Add them once in RunPod's console (Manage → Edit endpoint → Model):\n" +
      "  bosonai/higgs-audio-v2-generation-3B-base and bosonai/higgs-audio-v2-tokenizer\n"
    );
  }
  if (hasVolume) return "";
  return "warning: there is no network volume and no cached model, so workers find no model: say --volume or --cached-models\n";
}
