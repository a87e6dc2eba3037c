import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCodeOf } from "./system-error.ts";

/**
 * Makes a folder and those above it, as `mkdir -p`. Node's own recursion never ends on file systems that refuse new folders
 * with ENOENT, such as /proc.
 *
 * @throws the file system's error; ENOTDIR when a part of the path is not a folder
 */
export async function makeFolders(folder: string): Promise<void> {
  const existing = await stat(folder).catch(() => null);
  if (existing?.isDirectory() === true) return;
  if (existing !== null) throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
  if (dirname(folder) !== folder) await makeFolders(dirname(folder));
  await mkdir(folder).catch((error: unknown) => {
    // Another worker on the same volume was quicker.
    if (systemCodeOf(error) !== "EEXIST") throw error;
  });
}
