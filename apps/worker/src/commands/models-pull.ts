import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { HiggsError } from "@higgs-worker/base";
import type { SettingFlags } from "../config/load.ts";
import type { Config } from "../config/settings.ts";
import { HubClient } from "../hub/hub-client.ts";
import { pullModel } from "../hub/pull-model.ts";
import { planPull, PUBLISHED, type PullLayout, type RepositoryPull, type WantedRepository } from "../hub/pull-plan.ts";
import { hubCacheDirOf } from "../model/locations.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { formatBytes } from "../terminal/format.ts";
import { printJson } from "../terminal/print-json.ts";
import { createTransferBar } from "../terminal/transfer-bar.ts";
import { openCommandContext } from "./command-context.ts";

export interface ModelsPullArgs {
  readonly layout: PullLayout;
  /** Another revision of both repositories' choice; null for the published one. */
  readonly revision: string | null;
  /** Folder for the two folders; null: the volume, else Hugging Face's cache. */
  readonly to: string | null;
  /** Only says what would be downloaded. */
  readonly isDryRun: boolean;
  readonly isJson: boolean;
  readonly settings: SettingFlags;
}

/** `higgs models pull`: downloads model and audio tokenizer to where `models where` finds them. */
export async function runModelsPull(
  args: ModelsPullArgs,
  io: CommandIo,
  published: typeof PUBLISHED = PUBLISHED,
): Promise<number> {
  const { config, logger } = await openCommandContext(io, args.settings);
  const client = createHubClient(config, io.signal);
  const wanted = published[args.layout].map((repository) => withRevision(repository, args.revision));
  const pulls = await planPull(client, wanted, (repository, commit) =>
    folderFor(repository, commit, config, args.to === null ? null : resolve(io.workingDirectory, args.to)),
  );
  if (args.isDryRun) return describe(pulls, args, io);
  const bar = createTransferBar(io.stderr);
  try {
    const files = await pullModel(client, pulls, {
      onProgress: bar.onProgress,
      onWaiting: () => logger.warn("waiting for another process that downloads the same model"),
    });
    await bar.clear();
    const newBytes = files.reduce((sum, { sizeBytes, isNew }) => sum + (isNew ? sizeBytes : 0), 0);
    if (args.isJson) await printJson(io, { repositories: pulls.map(withoutFiles), files });
    else {
      for (const { repository, commit, folder } of pulls) {
        await io.stdout.write(`${repository} at ${commit}\n  ${folder}\n`);
      }
      await io.stdout.write(`${files.length} files, ${formatBytes(newBytes)} of them new\n`);
    }
    return EXIT_OK;
  } finally {
    await bar.clear();
  }
}

/** The client for the Hub of the settings. */
function createHubClient(config: Config, signal: AbortSignal): HubClient {
  return new HubClient({ endpoint: config.hubEndpoint ?? HUB, token: config.hubToken, proxies: config, signal });
}

const HUB = "https://huggingface.co";

function withRevision(repository: WantedRepository, revision: string | null): WantedRepository {
  // Commits of one repository mean nothing in the other.
  if (revision !== null && /^[0-9a-f]{40}$/.test(revision)) {
    const reason = `--revision must be a branch or tag that both repositories have (got ${revision})`;
    throw new HiggsError("INVALID_INPUT", "download the model", reason);
  }
  return revision === null ? repository : { ...repository, revision };
}

/** Where a repository goes: a folder that is given, the volume, else a snapshot in Hugging Face's cache. */
function folderFor(
  { repository, folderName }: WantedRepository,
  commit: string,
  config: Config,
  to: string | null,
): string {
  if (to !== null) return join(to, folderName);
  if (existsSync(config.volumeDir)) return join(config.volumeDir, "higgs_audio", "bosonai", folderName);
  const hub = hubCacheDirOf(config);
  if (hub === null) {
    throw new HiggsError("INVALID_INPUT", "download the model", "there is no home folder to put it into; use --to DIR");
  }
  return join(hub, `models--${repository.replace("/", "--")}`, "snapshots", commit);
}

function withoutFiles({ repository, commit, folder }: RepositoryPull) {
  return { repository, commit, folder };
}

async function describe(pulls: readonly RepositoryPull[], args: ModelsPullArgs, io: CommandIo): Promise<number> {
  if (args.isJson) await printJson(io, { repositories: pulls });
  for (const { repository, commit, folder, files } of args.isJson ? [] : pulls) {
    const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    await io.stdout.write(`${repository} at ${commit}, ${formatBytes(bytes)}\n  ${folder}\n`);
    for (const { path, sizeBytes } of files) await io.stdout.write(`  ${path} (${formatBytes(sizeBytes)})\n`);
  }
  return EXIT_OK;
}
