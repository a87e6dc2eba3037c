import { lstat, realpath, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import {
  HiggsError,
  isHiggsError,
  makeFolders,
  systemCodeOf,
  systemReason,
  tryWriting,
  writeAtomically,
  type ErrorCode,
} from "@higgs-worker/base";
import type { ObjectStore } from "./object-store.ts";

export interface FileStoreOptions {
  /** Code for a key that can never be a file there: INVALID_INPUT (the default) where the job chose the key. */
  readonly badPathCode?: ErrorCode;
}

/** Of one name, on every common file system. */
const MAX_NAME_BYTES = 255;

/** The key's path can never be a file's. */
const BAD_PATH = ["ENAMETOOLONG", "ENOTDIR", "EEXIST", "EISDIR", "ELOOP"];

/** The folder takes no file until somebody changes it. */
const DENIED = ["EACCES", "EPERM", "EROFS", "ENOENT"];

/**
 * Keeps files below `dir`. A link within `dir` is followed only as far as it stays there; `dir` itself may be one.
 *
 * What can never work is STORAGE_DENIED or `badPathCode`, the rest, a full disk for example, is STORAGE_FAILED.
 */
export function createFileStore(dir: string, { badPathCode = "INVALID_INPUT" }: FileStoreOptions = {}): ObjectStore {
  const failure = (error: unknown, path: string) => storageError(error, path, badPathCode);
  return {
    check: async (key) => {
      const path = join(dir, key);
      try {
        const place = await findPlace(dir, key);
        // In the lowest folder that is there already, so that nothing is left of a job that fails later.
        await tryWriting(join(place.folder, place.name));
      } catch (error) {
        throw failure(error, path);
      }
    },
    put: async ({ key, bytes }, { signal } = {}) => {
      const path = join(dir, key);
      try {
        signal?.throwIfAborted();
        await makeFolders(dir);
        const { root, folder, missing, name } = await findPlace(dir, key);
        const target = join(folder, ...missing, name);
        await makeFolders(dirname(target));
        await writeAtomically(
          target,
          async (file) => {
            // Somebody may have put a link in a folder's place meanwhile: nothing is written through it.
            if ((await realpath(dirname(target))) !== dirname(target)) throw leadsOutside(root);
            await file.writeFile(bytes, { signal });
          },
          { signal },
        );
        return { url: pathToFileURL(target).href, downloadUrl: null };
      } catch (error) {
        throw signal?.aborted === true ? cancelled(error) : failure(error, path);
      }
    },
  };
}

interface Place {
  /** The store's folder without links; the nearest folder above it where it is still missing. */
  readonly root: string;
  /** The lowest folder of the path that is there, without links. */
  readonly folder: string;
  /** The folders below it that have to be made. */
  readonly missing: readonly string[];
  readonly name: string;
}

/** @throws the file system's error, or an EISDIR, ENOTDIR or ELOOP of its kind; a HiggsError for a link that leads outside. */
async function findPlace(dir: string, key: string): Promise<Place> {
  const segments = key.split("/");
  if (segments.some((segment) => Buffer.byteLength(segment) > MAX_NAME_BYTES)) throw systemError("ENAMETOOLONG");
  if (key.includes("\0"))
    throw new HiggsError("INVALID_INPUT", "write the audio file", "its name has a null character");
  // Also finds out whether the whole path is too long.
  const nearest = await nearestFolder(dir);
  await lstat(join(dir, key)).catch(nullWhereMissing);
  const root = await realpath(nearest);
  const name = segments.pop() ?? "";
  let folder = root;
  // A store that is not there yet has no links; its own folders are above the key's.
  if ((await statOf(dir)) === null) return { root, folder, missing: segments, name };
  for (let depth = 0; depth < segments.length; depth++) {
    const path = join(folder, segments[depth] ?? "");
    if ((await lstatOf(path)) === null) return { root, folder, missing: segments.slice(depth), name };
    folder = await realpath(path).catch((error: unknown) => {
      // A link that leads nowhere.
      throw systemCodeOf(error) === "ENOENT" ? systemError("ENOTDIR") : error;
    });
    if (folder !== root && !folder.startsWith(root.endsWith(sep) ? root : root + sep)) throw leadsOutside(root);
    if (!(await stat(folder)).isDirectory()) throw systemError("ENOTDIR");
  }
  if ((await lstatOf(join(folder, name)))?.isDirectory() === true) throw systemError("EISDIR");
  return { root, folder, missing: [], name };
}

/** `path` itself, or the nearest above it that is there. */
async function nearestFolder(path: string): Promise<string> {
  const found = await statOf(path);
  if (found === null) return dirname(path) === path ? path : await nearestFolder(dirname(path));
  if (!found.isDirectory()) throw systemError("ENOTDIR");
  return path;
}

const statOf = (path: string) => stat(path).catch(nullWhereMissing);
const lstatOf = (path: string) => lstat(path).catch(nullWhereMissing);

function nullWhereMissing(error: unknown): null {
  if (systemCodeOf(error) === "ENOENT") return null;
  throw error;
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Its code is replaced by the store's own. */
function leadsOutside(root: string): HiggsError {
  return new HiggsError(
    "INVALID_INPUT",
    "write the audio file",
    `a link leads out of the output folder (limit ${root})`,
  );
}

/** What a failed write means for who asked for it. */
function storageError(error: unknown, path: string, badPathCode: ErrorCode): HiggsError {
  if (isHiggsError(error)) return new HiggsError(badPathCode, error.subject, error.reason, { cause: error });
  const system = systemCodeOf(error) ?? "";
  const code = BAD_PATH.includes(system) ? badPathCode : DENIED.includes(system) ? "STORAGE_DENIED" : "STORAGE_FAILED";
  return new HiggsError(code, "write the audio file", `${systemReason(error)} (got ${path})`, { cause: error });
}

function cancelled(cause: unknown): HiggsError {
  return new HiggsError("CANCELLED", "write the audio file", "the request was cancelled", { cause });
}

/**
 * Writes a file where a person said, making the folders above it.
 *
 * @throws HiggsError INVALID_INPUT, STORAGE_DENIED or STORAGE_FAILED
 */
export async function writeOutputFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await makeFolders(dirname(path));
    await writeAtomically(path, bytes);
  } catch (error) {
    throw storageError(error, path, "INVALID_INPUT");
  }
}

/** Why no file of that name could be written, or null when it could; folders that are missing are made. */
export async function findWriteProblem(
  path: string,
): Promise<{ readonly reason: string; readonly cause: unknown } | null> {
  try {
    const existing = await stat(path).catch(() => null);
    if (existing?.isDirectory() === true) throw systemError("EISDIR");
    await makeFolders(dirname(path));
    await tryWriting(path);
    return null;
  } catch (error) {
    return { reason: systemReason(error), cause: error };
  }
}
