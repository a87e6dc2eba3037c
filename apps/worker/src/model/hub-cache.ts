import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * The snapshot folder of a repository in a Hugging Face cache (`models--ORG--NAME/snapshots/REVISION`), or null. The
 * revision is what `refs/main` says, else the newest. The case of the folder's name is ignored,
 * because RunPod's cache may differ from the published name (spec platform §9.5).
 */
export function findSnapshot(hubDir: string, repository: string): string | null {
  const wanted = `models--${repository.replace("/", "--")}`.toLowerCase();
  const folder = list(hubDir).find((name) => name.toLowerCase() === wanted);
  if (folder === undefined) return null;
  const snapshotsDir = join(hubDir, folder, "snapshots");
  const revisions = list(snapshotsDir);
  const main = read(join(hubDir, folder, "refs", "main"))?.trim();
  const revision = main !== undefined && revisions.includes(main) ? main : newest(snapshotsDir, revisions);
  return revision === null ? null : join(snapshotsDir, revision);
}

function newest(dir: string, names: readonly string[]): string | null {
  const dated = names.map((name) => ({
    name,
    time: statSync(join(dir, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
  }));
  return dated.sort((a, b) => b.time - a.time)[0]?.name ?? null;
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

const MAX_REVISION_BYTES = 1024;

function read(file: string): string | null {
  try {
    // A pipe would never end, and revision names are short.
    const status = statSync(file);
    return status.isFile() && status.size <= MAX_REVISION_BYTES ? readFileSync(file, "utf8") : null;
  } catch {
    return null;
  }
}
