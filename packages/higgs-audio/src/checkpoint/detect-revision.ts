import { basename, dirname } from "node:path";
import type { SourceFile } from "./tensor-source.ts";

/** Where a checkpoint comes from, as far as its path and its files tell. */
export interface CheckpointOrigin {
  /** `bosonai/higgs-audio-v2-generation-3B-base`, or the folder's name. */
  readonly modelName: string;
  /** Commit on the Hub, 40 hexadecimal digits, when it can be told. */
  readonly revision: string | null;
}

/**
 * Releases that are known by the exact sizes of their weight files (spec model §3.1). A safetensors file's size depends on its
 * header too, so a re-saved copy is not mistaken for the release.
 */
const RELEASES: readonly { readonly sizes: readonly number[]; readonly origin: CheckpointOrigin }[] = [
  {
    sizes: [1_593_566_728, 4_965_820_232, 4_983_224_272],
    origin: {
      modelName: "bosonai/higgs-audio-v2-generation-3B-base",
      revision: "10840182ca4ad5d9d9113b60b9bb3c1ef1ba3f84",
    },
  },
];

const REVISION = /^[0-9a-f]{40}$/;
const HUB_FOLDER = /^models--([^/]+?)--([^/]+)$/;
/** Folder names that say nothing about the model in them. */
const GENERIC_NAMES = new Set(["checkpoint", "codec", "model", "models", "weights", "snapshot", "latest"]);
/** Organizations whose folder holds models by name. */
const ORGANIZATIONS = new Set(["bosonai", "eustlb"]);

/**
 * Reads model and revision from a Hugging Face cache path (`models--ORG--NAME/snapshots/REVISION`), from the sizes of the
 * released files, or from the folder's name.
 */
export function detectOrigin(directory: string, files: readonly SourceFile[]): CheckpointOrigin {
  const sizes = files.map(({ sizeBytes }) => sizeBytes).sort((a, b) => a - b);
  const release = RELEASES.find(
    (known) => known.sizes.length === sizes.length && known.sizes.every((size, index) => size === sizes[index]),
  );
  const hub = readHubPath(directory);
  if (hub !== null) return { modelName: hub.modelName, revision: hub.revision ?? release?.origin.revision ?? null };
  return release?.origin ?? { modelName: nameFolder(directory), revision: null };
}

function readHubPath(directory: string): CheckpointOrigin | null {
  const parts = directory.split(/[/\\]+/);
  const index = parts.findLastIndex((part) => HUB_FOLDER.test(part));
  const match = HUB_FOLDER.exec(parts[index] ?? "");
  if (match === null) return null;
  const revision = parts[index + 1] === "snapshots" ? parts[index + 2] : undefined;
  return {
    modelName: `${match[1]}/${match[2]}`,
    revision: revision !== undefined && REVISION.test(revision) ? revision : null,
  };
}

function nameFolder(directory: string): string {
  const name = basename(directory);
  const parent = dirname(directory);
  if (ORGANIZATIONS.has(basename(parent))) return `${basename(parent)}/${name}`;
  return GENERIC_NAMES.has(name) && basename(parent) !== "" ? nameFolder(parent) : name;
}
