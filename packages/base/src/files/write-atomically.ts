import { randomUUID } from "node:crypto";
import { open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export interface WriteAtomicallyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether the file must survive a power failure (the default). A cache that can be made again does without the wait. */
  readonly isDurable?: boolean;
}

type Content = string | Uint8Array | ((file: FileHandle) => Promise<void>);

/**
 * Writes a file under its name in one step: into a temporary file in the same folder, which is then renamed. Others see the
 * old file or the new one, never a part, and a failure leaves nothing behind; only a killed process does.
 *
 * @throws the file system's error, what `content` throws, or the signal's reason when it fires before the rename
 */
export async function writeAtomically(
  path: string,
  content: Content,
  { signal, isDurable = true }: WriteAtomicallyOptions = {},
): Promise<void> {
  const partial = partialPath(path);
  signal?.throwIfAborted();
  try {
    const file = await open(partial, "wx+");
    try {
      if (typeof content === "function") await content(file);
      else await file.writeFile(content, { signal });
      if (isDurable) await file.sync();
    } finally {
      await file.close();
    }
    signal?.throwIfAborted();
    await rename(partial, path);
    if (isDurable) await syncFolder(dirname(path));
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw error;
  }
}

/**
 * Finds out whether `writeAtomically` could work there, by making and removing a temporary file.
 *
 * @throws the file system's error
 */
export async function tryWriting(path: string): Promise<void> {
  const partial = partialPath(path);
  try {
    await (await open(partial, "wx")).close();
  } finally {
    await rm(partial, { force: true }).catch(() => undefined);
  }
}

/** Name of a temporary file: the beginning of the file's own, which stood alone in earlier versions, and a UUID. */
const PARTIAL_NAME = /^\.?(?<stem>.+)\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.partial$/;

/**
 * Removes the temporary files that killed processes left in a folder. `isDead` gets the beginning of the name of the file that
 * was to be written; it must be true only when no process can be writing that file, for example because the caller holds its lock.
 * Files that cannot be removed stay.
 */
export async function removePartials(
  folder: string,
  isDead: (stem: string) => boolean | Promise<boolean>,
): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const stem = PARTIAL_NAME.exec(name)?.groups?.["stem"];
    if (stem === undefined || !(await isDead(stem))) continue;
    await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

/** Longest part of a file's own name in that of its temporary file: names of files end at 255 bytes. */
const MAX_STEM_BYTES = 128;

/** Hidden, so that a killed process's leftover is not taken for one of the folder's files. */
function partialPath(path: string): string {
  const stem = Buffer.from(basename(path)).subarray(0, MAX_STEM_BYTES).toString();
  return join(dirname(path), `.${stem}.${randomUUID()}.partial`);
}

/** Makes the new name survive a power failure. Some file systems cannot do that for a folder; the file itself is safe. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => null);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}
