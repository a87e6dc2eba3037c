import { join } from "node:path";
import { HiggsError } from "@higgs-worker/base";
import { listFolder } from "@higgs-worker/higgs-audio/requests";
import type { HubClient, HubFile } from "./hub-client.ts";

/** The two layouts in which the model is published (spec model, introduction). */
export type PullLayout = "boson" | "native";

/** One repository that is wanted at one revision. */
export interface WantedRepository {
  readonly repository: string;
  /** A commit; a branch or tag is resolved to one when the plan is made. */
  readonly revision: string;
  /** Name of the folder on a volume. */
  readonly folderName: string;
}

const MODEL_FOLDER = "higgs-audio-v2-generation-3B-base";
const TOKENIZER_FOLDER = "higgs-audio-v2-tokenizer";

/**
 * What is published. The audio tokenizer comes first: a worker that starts meanwhile must not find a model without one. The
 * boson layout is pinned; the Hub's main branches were replaced by the native layout later.
 */
export const PUBLISHED: Readonly<Record<PullLayout, readonly WantedRepository[]>> = {
  boson: [
    {
      repository: "bosonai/higgs-audio-v2-tokenizer",
      revision: "9d4988fbd4ad07b4cac3a5fa462741a41810dbec",
      folderName: TOKENIZER_FOLDER,
    },
    {
      repository: "bosonai/higgs-audio-v2-generation-3B-base",
      revision: "10840182ca4ad5d9d9113b60b9bb3c1ef1ba3f84",
      folderName: MODEL_FOLDER,
    },
  ],
  native: [
    { repository: "bosonai/higgs-audio-v2-tokenizer", revision: "main", folderName: TOKENIZER_FOLDER },
    { repository: "bosonai/higgs-audio-v2-generation-3B-base", revision: "main", folderName: MODEL_FOLDER },
  ],
};

/** One repository at a commit, its files that are needed, and where they go. */
export interface RepositoryPull {
  readonly repository: string;
  readonly commit: string;
  readonly folder: string;
  /** `config.json` last: a folder counts as a checkpoint when it has one. */
  readonly files: readonly HubFile[];
}

/** What inference reads, and what a copy must carry. */
const NEEDED = /^(?:[^/]+\.safetensors(?:\.index\.json)?|model\.pth|[^/]+\.json|LICENSE[^/]*|NOTICE[^/]*|README\.md)$/i;
const WEIGHTS = /\.safetensors$|\.safetensors\.index\.json$|^model\.pth$/;

/**
 * Asks the Hub for the files of each repository. Nothing is written.
 *
 * @param folderOf where a repository's files go
 * @throws {HiggsError} MODEL_NOT_FOUND when a repository or revision cannot be had
 * @throws {HiggsError} INVALID_INPUT when a folder holds weights of another revision or layout
 */
export async function planPull(
  client: HubClient,
  wanted: readonly WantedRepository[],
  folderOf: (repository: WantedRepository, commit: string) => string,
): Promise<RepositoryPull[]> {
  const pulls: RepositoryPull[] = [];
  for (const repository of wanted) {
    const commit = await client.commitOf(repository.repository, repository.revision);
    const files = (await client.listFiles(repository.repository, commit)).filter(({ path }) => NEEDED.test(path));
    if (!files.some(({ path }) => WEIGHTS.test(path)) || !files.some(({ path }) => path === "config.json")) {
      const lacks = "it has no weights or no config.json at this revision";
      throw new HiggsError("MODEL_NOT_FOUND", "download the model", `${repository.repository}: ${lacks}`);
    }
    const folder = folderOf(repository, commit);
    checkFolder(folder, files);
    const last = files.filter(({ path }) => path === "config.json");
    const others = files.filter(({ path }) => path !== "config.json").sort((a, b) => b.sizeBytes - a.sizeBytes);
    pulls.push({ repository: repository.repository, commit, folder, files: [...others, ...last] });
  }
  return pulls;
}

/** Weights of another layout in the same folder would be mistaken for these. */
function checkFolder(folder: string, files: readonly HubFile[]): void {
  const planned = new Set(files.map(({ path }) => path));
  const strange = listFolder(folder).find((name) => WEIGHTS.test(name) && !planned.has(name));
  if (strange === undefined) return;
  throw new HiggsError(
    "INVALID_INPUT",
    "download the model",
    `${join(folder, strange)} belongs to another revision or layout; remove the folder or choose another with --to`,
  );
}
