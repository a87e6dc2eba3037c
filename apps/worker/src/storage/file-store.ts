import { randomUUID } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { HiggsError } from "@higgs-worker/errors";
import { makeFolders } from "@higgs-worker/higgs-audio";
import type { ObjectStore } from "./object-store.ts";

/** Keeps files below `dir`. */
export function createFileStore(dir: string): ObjectStore {
  return {
    put: async ({ key, bytes }, { signal } = {}) => {
      const path = resolve(join(dir, ...key.split("/")));
      await writeFileAtomically(path, bytes, signal === undefined ? {} : { signal });
      return { url: pathToFileURL(path).href, downloadUrl: null };
    },
  };
}

/**
 * Writes to a temporary name in the same folder and renames, so that a reader sees the whole file or none, and a failure
 * leaves nothing behind.
 *
 * @throws HiggsError STORAGE_FAILED; CANCELLED when the signal fires before the file has its name.
 */
export async function writeFileAtomically(
  path: string,
  bytes: Uint8Array,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const temporary = join(dirname(path), `.${randomUUID()}.partial`);
  try {
    options.signal?.throwIfAborted();
    await makeFolders(dirname(path));
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes, options.signal === undefined ? {} : { signal: options.signal });
      await file.sync();
    } finally {
      await file.close();
    }
    options.signal?.throwIfAborted();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    if (options.signal?.aborted === true) {
      throw new HiggsError("CANCELLED", "Cannot write the audio file: the request was cancelled", { cause: error });
    }
    throw new HiggsError("STORAGE_FAILED", `Cannot write the audio file: ${reasonOf(error)} (got ${path})`, {
      cause: error,
    });
  }
}

/**
 * Finds out whether `writeFileAtomically` could work there, by making and removing a temporary file.
 *
 * @throws HiggsError STORAGE_FAILED with the reason.
 */
export async function checkWritable(path: string): Promise<void> {
  const problem = await findWriteProblem(path);
  if (problem === null) return;
  throw new HiggsError("STORAGE_FAILED", `Cannot write the audio file: ${problem.reason} (got ${path})`, {
    cause: problem.cause,
  });
}

/** Why no file of that name could be written, or null when it could; folders that are missing are made. */
export async function findWriteProblem(
  path: string,
): Promise<{ readonly reason: string; readonly cause: unknown } | null> {
  const temporary = join(dirname(path), `.${randomUUID()}.partial`);
  try {
    const existing = await stat(path).catch(() => null);
    if (existing?.isDirectory() === true) throw Object.assign(new Error("folder"), { code: "EISDIR" });
    await makeFolders(dirname(path));
    const file = await open(temporary, "wx");
    await file.close();
    return null;
  } catch (error) {
    return { reason: reasonOf(error), cause: error };
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the device",
  EDQUOT: "the quota is used up",
  ENOTDIR: "a part of the path is no folder",
  EEXIST: "a part of the path is no folder",
  ENOENT: "the folder cannot be made",
  EISDIR: "the path is a folder",
  ENAMETOOLONG: "the name is too long",
};

function reasonOf(error: unknown): string {
  const code = errorCode(error);
  return REASONS[code] ?? (code === "" ? "the write failed" : `the write failed with ${code}`);
}
