import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Revision names are short; anything longer is not one. */
const MAX_REVISION_BYTES = 1024;

/**
 * The snapshot folders of one repository in a Hugging Face cache (`models--ORG--NAME`): first the revision that `refs/main`
 * names, then the others, newest first. Empty when the folder is not one of such a cache or cannot be read.
 */
export function listSnapshots(repositoryDir: string): string[] {
  const snapshots = join(repositoryDir, "snapshots");
  const main = readMainRevision(repositoryDir);
  return listFolder(snapshots)
    .map((name) => ({ name, path: join(snapshots, name) }))
    .map(({ name, path }) => ({ path, isMain: name === main, modifiedMs: modifiedMs(path) }))
    .sort((a, b) => Number(b.isMain) - Number(a.isMain) || b.modifiedMs - a.modifiedMs)
    .map(({ path }) => path);
}

/** The names in a folder; none when it cannot be read. */
export function listFolder(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readMainRevision(repositoryDir: string): string | null {
  const file = join(repositoryDir, "refs", "main");
  try {
    // A pipe would never end.
    const status = statSync(file);
    return status.isFile() && status.size <= MAX_REVISION_BYTES ? readFileSync(file, "utf8").trim() : null;
  } catch {
    return null;
  }
}

/** 0 when it cannot be told, as for a link to nowhere. */
function modifiedMs(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
