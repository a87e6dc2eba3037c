import { type FileHandle, lstat, realpath, stat } from "node:fs/promises";
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
import type { AudioSource, ObjectStore } from "./object-store.ts";

export interface FileStoreOptions {
  /** Code for a key that can never be a file there: INVALID_INPUT (the default) when the job chose the key. */
  readonly badPathCode?: ErrorCode;
}

/** Limit of one name on every common file system. */
const MAX_NAME_BYTES = 255;

/** The key can never be a file's path. */
const BAD_PATH = ["ENAMETOOLONG", "ENOTDIR", "EEXIST", "EISDIR", "ELOOP"];

/** The folder cannot take a file until it is changed. */
const DENIED = ["EACCES", "EPERM", "EROFS", "ENOENT"];

/**
 * Keeps files below `dir`. Links within `dir` are only followed if they stay inside; `dir` itself may be a link.
 *
 * What can never work is STORAGE_DENIED or `badPathCode`; the rest, such as a full disk, is STORAGE_FAILED.
 */
export function createFileStore(dir: string, { badPathCode = "INVALID_INPUT" }: FileStoreOptions = {}): ObjectStore {
  const failure = (error: unknown, path: string) => storageError(error, path, badPathCode);
  return {
    check: async (key) => {
      const path = join(dir, key);
      try {
        const place = await findPlace(dir, key);
        // In the deepest existing folder, so that a job that fails later leaves nothing behind.
        await tryWriting(join(place.folder, place.name));
      } catch (error) {
        throw failure(error, path);
      }
    },
    put: async ({ key, audio }, { signal, onProgress } = {}) => {
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
            // A folder may have been replaced by a link in the meantime: never write through it.
            if ((await realpath(dirname(target))) !== dirname(target)) throw leadsOutside(root);
            await writeAll(file, audio, signal);
          },
          { signal },
        );
        onProgress?.({ bytes: audio.size, parts: 1 });
        return { url: pathToFileURL(target).href, downloadUrl: null };
      } catch (error) {
        throw signal?.aborted === true ? cancelled(error) : failure(error, path);
      }
    },
  };
}

/** Copied this many bytes at a time, so that long audio need not be in memory. */
const COPY_BYTES = 1_048_576;

/**
 * Writes a file from its beginning.
 *
 * @throws the file system's error, what `audio` throws, or the signal's reason
 */
export async function writeAll(file: FileHandle, audio: AudioSource, signal?: AbortSignal): Promise<void> {
  for (let start = 0; start < audio.size; start += COPY_BYTES) {
    signal?.throwIfAborted();
    await file.writeFile(await audio.read(start, Math.min(start + COPY_BYTES, audio.size)));
  }
}

interface Place {
  /** The store's resolved folder, or the nearest existing folder above it. */
  readonly root: string;
  /** The deepest existing folder of the path, resolved. */
  readonly folder: string;
  /** The folders below it that must be created. */
  readonly missing: readonly string[];
  readonly name: string;
}

/** @throws {Error} of the file system, also EISDIR, ENOTDIR or ELOOP; a HiggsError for a link that leads outside. */
async function findPlace(dir: string, key: string): Promise<Place> {
  const segments = key.split("/");
  if (segments.some((segment) => Buffer.byteLength(segment) > MAX_NAME_BYTES)) throw systemError("ENAMETOOLONG");
  if (key.includes("\0"))
    throw new HiggsError("INVALID_INPUT", "write the audio file", "its name has a null character");
  // Also detects a path that is too long as a whole.
  const nearest = await nearestFolder(dir);
  await lstat(join(dir, key)).catch(nullWhereMissing);
  const root = await realpath(nearest);
  const name = segments.pop() ?? "";
  let folder = root;
  // A store that does not exist yet has no links.
  if ((await statOf(dir)) === null) return { root, folder, missing: segments, name };
  for (let depth = 0; depth < segments.length; depth++) {
    const path = join(folder, segments[depth] ?? "");
    if ((await lstatOf(path)) === null) return { root, folder, missing: segments.slice(depth), name };
    folder = await realpath(path).catch((error: unknown) => {
      // A dangling link.
      throw systemCodeOf(error) === "ENOENT" ? systemError("ENOTDIR") : error;
    });
    if (folder !== root && !folder.startsWith(root.endsWith(sep) ? root : root + sep)) throw leadsOutside(root);
    if (!(await stat(folder)).isDirectory()) throw systemError("ENOTDIR");
  }
  if ((await lstatOf(join(folder, name)))?.isDirectory() === true) throw systemError("EISDIR");
  return { root, folder, missing: [], name };
}

/** `path`, or the nearest existing folder above it. */
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

/** Its code is replaced by the store's. */
function leadsOutside(root: string): HiggsError {
  return new HiggsError(
    "INVALID_INPUT",
    "write the audio file",
    `a link leads out of the output folder (limit ${root})`,
  );
}

/** What a failed write means to the caller. */
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
 * Writes a file to a path that the user chose, creating the folders above it.
 *
 * @throws {HiggsError} INVALID_INPUT, STORAGE_DENIED or STORAGE_FAILED when it cannot be written
 */
export async function writeOutputFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await makeFolders(dirname(path));
    await writeAtomically(path, bytes);
  } catch (error) {
    throw storageError(error, path, "INVALID_INPUT");
  }
}

/** Why no file of that name could be written, or null when it could; missing folders are created. */
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
