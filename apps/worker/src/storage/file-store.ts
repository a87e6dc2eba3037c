import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { HiggsError, makeFolders, systemReason, tryWriting, writeAtomically } from "@higgs-worker/base";
import type { ObjectStore } from "./object-store.ts";

/** Keeps files below `dir`. */
export function createFileStore(dir: string): ObjectStore {
  const pathOf = (key: string): string => resolve(join(dir, ...key.split("/")));
  return {
    check: (key) => checkWritable(pathOf(key)),
    put: async ({ key, bytes }, { signal } = {}) => {
      const path = pathOf(key);
      await writeOutputFile(path, bytes, { signal });
      return { url: pathToFileURL(path).href, downloadUrl: null };
    },
  };
}

/**
 * Writes a file in one step, making the folders above it.
 *
 * @throws HiggsError STORAGE_FAILED; CANCELLED when the signal fires before the file has its name.
 */
export async function writeOutputFile(
  path: string,
  bytes: Uint8Array,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  try {
    signal?.throwIfAborted();
    await makeFolders(dirname(path));
    await writeAtomically(path, bytes, { signal });
  } catch (error) {
    if (signal?.aborted === true) {
      throw new HiggsError("CANCELLED", "write the audio file", "the request was cancelled", { cause: error });
    }
    throw new HiggsError("STORAGE_FAILED", "write the audio file", `${systemReason(error)} (got ${path})`, {
      cause: error,
    });
  }
}

/**
 * Finds out whether `writeOutputFile` could work there, by making and removing a temporary file.
 *
 * @throws HiggsError STORAGE_FAILED with the reason.
 */
export async function checkWritable(path: string): Promise<void> {
  const problem = await findWriteProblem(path);
  if (problem === null) return;
  throw new HiggsError("STORAGE_FAILED", "write the audio file", `${problem.reason} (got ${path})`, {
    cause: problem.cause,
  });
}

/** Why no file of that name could be written, or null when it could; folders that are missing are made. */
export async function findWriteProblem(
  path: string,
): Promise<{ readonly reason: string; readonly cause: unknown } | null> {
  try {
    const existing = await stat(path).catch(() => null);
    if (existing?.isDirectory() === true) throw Object.assign(new Error("folder"), { code: "EISDIR" });
    await makeFolders(dirname(path));
    await tryWriting(path);
    return null;
  } catch (error) {
    return { reason: systemReason(error), cause: error };
  }
}
