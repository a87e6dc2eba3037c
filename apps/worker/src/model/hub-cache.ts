import { join } from "node:path";
import { listFolder, listSnapshots } from "@higgs-worker/higgs-audio/requests";

/**
 * The snapshot folder of a repository in a Hugging Face cache (`models--ORG--NAME/snapshots/REVISION`), or null. The
 * revision is what `refs/main` says, else the newest. The case of the folder's name is ignored,
 * because RunPod's cache may differ from the published name (spec platform §9.5).
 */
export function findSnapshot(hubDir: string, repository: string): string | null {
  const wanted = `models--${repository.replace("/", "--")}`.toLowerCase();
  const folder = listFolder(hubDir).find((name) => name.toLowerCase() === wanted);
  return folder === undefined ? null : (listSnapshots(join(hubDir, folder))[0] ?? null);
}
