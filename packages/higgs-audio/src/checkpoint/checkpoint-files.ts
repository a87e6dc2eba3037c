import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { HiggsError } from "@higgs-worker/base";
import { fileError } from "./checkpoint-error.ts";
import { listSnapshots } from "./hub-snapshots.ts";

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
  const folder = resolve(directory);
  for (const candidate of [folder, ...listSnapshots(folder)]) {
    const configPath = join(candidate, CONFIG);
    const config = await lookFor(configPath);
    if (config !== "file") {
      searched.push(`${configPath}${config}`);
      continue;
    }
    for (const [name, format] of WEIGHTS) {
      const weightsPath = join(candidate, name);
      const weights = await lookFor(weightsPath);
      if (weights === "file") return { directory: candidate, configPath, weightsPath, format };
      searched.push(`${weightsPath}${weights}`);
    }
  }
  throw new HiggsError("MODEL_NOT_FOUND", `open ${what}`, `no checkpoint was found (searched ${searched.join(", ")})`);
}

/**
 * `file` for a regular file; otherwise what a message adds to the path: nothing when there is nothing of that name.
 *
 * @throws {HiggsError} VOLUME_UNAVAILABLE when the folder cannot be read
 */
async function lookFor(path: string): Promise<"file" | "" | " (not a regular file)"> {
  try {
    return (await stat(path)).isFile() ? "file" : " (not a regular file)";
  } catch (error) {
    const failure = fileError(path, "look for", error);
    if (failure.code === "MODEL_NOT_FOUND") return "";
    throw failure;
  }
}
