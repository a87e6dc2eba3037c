import { constants, type Stats } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import { HiggsError } from "../errors/higgs-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import { isMissing, systemReason } from "./system-error.ts";

export interface RegularFileOptions {
  /** The subject of messages, such as `read the tokenizer`. */
  readonly subject: string;
  /** Code for a file that does not exist. */
  readonly missing: ErrorCode;
  /** Code for what is not a regular file, too large, or changes while it is read. */
  readonly refused: ErrorCode;
  /** Code for every other failure, such as a missing permission. */
  readonly failed?: ErrorCode;
}

/** Not there on Windows, where pipes have no place in the file system. */
const NON_BLOCKING = (constants.O_NONBLOCK as number | undefined) ?? 0;

/** One read call asks for at most this much: more is not faster, and Linux itself stops at 2 GiB. */
const MAX_READ_BYTES = 256 * 1024 * 1024;

/**
 * Opens a regular file for reading. Pipes, sockets, devices, folders and links to them are refused, and opening one never
 * waits: its kind is checked before it is opened (opening a device can have effects) and again on the open file.
 *
 * @throws {HiggsError} `missing` when there is no such file
 * @throws {HiggsError} `refused` when it is not a regular file
 * @throws {HiggsError} `failed` (VOLUME_UNAVAILABLE) for any other failure
 */
export async function openRegularFile(
  path: string,
  options: RegularFileOptions,
): Promise<{ readonly handle: FileHandle; readonly status: Stats }> {
  const { subject, missing, refused, failed = "VOLUME_UNAVAILABLE" } = options;
  const fail = (error: unknown): never => {
    const reason = isMissing(error) ? "no such file" : systemReason(error);
    throw new HiggsError(isMissing(error) ? missing : failed, subject, `${reason} (got ${path})`, { cause: error });
  };
  const check = (status: Stats): Stats => {
    if (status.isFile()) return status;
    throw new HiggsError(refused, subject, `it is ${kindOf(status)}, not a regular file (got ${path})`);
  };
  check(await stat(path).catch(fail));
  const handle = await open(path, constants.O_RDONLY | NON_BLOCKING).catch(fail);
  try {
    return { handle, status: check(await handle.stat().catch(fail)) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Reads a whole regular file. Nothing is read from one larger than `maxBytes`, and never more than its size when it was
 * opened.
 *
 * @throws {HiggsError} `missing` when there is no such file
 * @throws {HiggsError} `refused` when it is not a regular file, is too large, or becomes shorter meanwhile
 * @throws {HiggsError} `failed` (VOLUME_UNAVAILABLE) for any other failure
 */
export async function readRegularFile(
  path: string,
  options: RegularFileOptions & { readonly maxBytes: number },
): Promise<Buffer> {
  const { subject, refused, failed = "VOLUME_UNAVAILABLE", maxBytes } = options;
  const { handle, status } = await openRegularFile(path, options);
  try {
    if (status.size > maxBytes) {
      const sizes = `got ${status.size} bytes, limit ${maxBytes}, in ${path}`;
      throw new HiggsError(refused, subject, `the file is too large (${sizes})`);
    }
    const bytes = Buffer.allocUnsafe(status.size);
    const isWhole = await readFully(handle, bytes, 0).catch((error: unknown) => {
      throw new HiggsError(failed, subject, `${systemReason(error)} (got ${path})`, { cause: error });
    });
    if (!isWhole) throw new HiggsError(refused, subject, `the file became shorter while it was read (got ${path})`);
    return bytes;
  } finally {
    await handle.close();
  }
}

/**
 * Fills `target` from `position` on; false when the file ends before.
 *
 * @throws the file system's error
 */
export async function readFully(handle: FileHandle, target: Uint8Array, position: number): Promise<boolean> {
  for (let done = 0; done < target.length;) {
    const length = Math.min(target.length - done, MAX_READ_BYTES);
    const { bytesRead } = await handle.read(target, done, length, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

function kindOf(status: Stats): string {
  if (status.isDirectory()) return "a folder";
  if (status.isFIFO()) return "a pipe";
  if (status.isSocket()) return "a socket";
  return "a device";
}
