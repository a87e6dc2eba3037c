import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { HiggsError } from "@higgs-worker/base";
import { fileError } from "./checkpoint-error.ts";
import { readSmallFile } from "./checkpoint-file.ts";

/** How the tensors are stored. */
export type WeightFileKind = "safetensors" | "sharded-safetensors" | "torch";

/** The files of a checkpoint that matter for loading it. */
export interface CheckpointFiles {
  /** Folder that really holds the files (a snapshot, when a Hugging Face cache folder was given). */
  readonly directory: string;
  readonly configPath: string;
  readonly weightsPath: string;
  readonly format: WeightFileKind;
}

const CONFIG = "config.json";

/** Weight files by preference: a single file is whole or absent, an index can point to missing shards. */
const WEIGHTS: readonly (readonly [name: string, format: WeightFileKind])[] = [
  ["model.safetensors", "safetensors"],
  ["model.safetensors.index.json", "sharded-safetensors"],
  ["model.pth", "torch"],
];

/**
 * Finds the files of a checkpoint in a folder, or in the snapshot of a Hugging Face cache folder.
 *
 * @throws {HiggsError} MODEL_NOT_FOUND naming every path that was tried
 */
export async function findCheckpointFiles(what: string, directory: string): Promise<CheckpointFiles> {
  const searched: string[] = [];
  for (const candidate of await listCandidates(resolve(directory))) {
    const configPath = join(candidate, CONFIG);
    const hasConfig = await isFile(configPath);
    if (!hasConfig) {
      searched.push(configPath);
      continue;
    }
    for (const [name, format] of WEIGHTS) {
      const weightsPath = join(candidate, name);
      if (await isFile(weightsPath)) return { directory: candidate, configPath, weightsPath, format };
      searched.push(weightsPath);
    }
  }
  throw new HiggsError("MODEL_NOT_FOUND", `open ${what}`, `no checkpoint was found (searched ${searched.join(", ")})`);
}

/** The folder itself, then the snapshots in it: the one that `refs/main` names, then the others, newest first. */
async function listCandidates(directory: string): Promise<string[]> {
  const snapshots = join(directory, "snapshots");
  const names = await readdir(snapshots).catch(() => []);
  const main = await readMainRevision(directory);
  const dated = await Promise.all(
    names.map(async (name) => ({ name, modifiedMs: await modifiedMs(join(snapshots, name)) })),
  );
  dated.sort((a, b) => Number(b.name === main) - Number(a.name === main) || b.modifiedMs - a.modifiedMs);
  return [directory, ...dated.map(({ name }) => join(snapshots, name))];
}

/** The revision that a Hugging Face cache folder calls `main`; empty when it does not say. */
async function readMainRevision(directory: string): Promise<string> {
  const bytes = await readSmallFile(join(directory, "refs", "main"), MAX_REVISION_BYTES).catch(() => new Uint8Array(0));
  return new TextDecoder().decode(bytes).trim();
}

const MAX_REVISION_BYTES = 1024;

/**
 * Whether there is a file with that name.
 *
 * @throws {HiggsError} VOLUME_UNAVAILABLE when the folder cannot be read
 */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    const failure = fileError(path, "look for", error);
    if (failure.code === "MODEL_NOT_FOUND") return false;
    throw failure;
  }
}

async function modifiedMs(path: string): Promise<number> {
  return stat(path).then(
    (status) => status.mtimeMs,
    () => 0,
  );
}
