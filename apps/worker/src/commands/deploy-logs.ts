import type { LogEvent, RunpodClient } from "runpod-deploy";
import { openAccount, openDeployContext, withRunpodErrors } from "../deploy/account.ts";
import { followLog } from "../deploy/follow-log.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { printJson } from "../terminal/print-json.ts";
import { type EndpointChoice, needEndpoint } from "./deploy-status.ts";

export interface DeployLogsArgs extends EndpointChoice {
  /** One worker's id; null for all that there are. */
  readonly worker: string | null;
  /** 0 … 5000 lines a worker from before. */
  readonly tail: number;
  /** Goes on until it is interrupted. */
  readonly isFollowing: boolean;
  readonly isJson: boolean;
}

/** `higgs deploy logs`: what the workers have written, and with `--follow` what they write. */
export async function runDeployLogs(args: DeployLogsArgs, io: CommandIo): Promise<number> {
  const { config } = await openDeployContext(io);
  const client = openAccount(config, io.signal);
  return withRunpodErrors("read the logs", async () => {
    const endpoint = await needEndpoint(client, args);
    const workers = args.worker === null ? await workerIds(client, endpoint.id) : [args.worker];
    if (workers.length === 0) await io.stderr.write("There are no workers now; a job starts one.\n");
    const show = async (worker: string, event: LogEvent): Promise<void> => {
      if (args.isJson) await printJson(io, { worker, ts: event.ts, source: event.source, line: event.line });
      else await io.stdout.write(`${event.ts}  ${worker}  ${event.line}\n`);
    };
    const { tail, isFollowing } = args;
    await Promise.all(
      workers.map((worker) =>
        followLog({
          open: (options) => client.workerLogs(endpoint.id, worker, options),
          onEvent: (event) => show(worker, event),
          tail,
          isFollowing,
          signal: io.signal,
          sleep: (ms) => client.sleep(ms),
        }),
      ),
    );
    return EXIT_OK;
  });
}

async function workerIds(client: RunpodClient, endpointId: string): Promise<string[]> {
  return (await client.workers(endpointId)).map(({ id }) => id);
}
