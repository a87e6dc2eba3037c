import { open, type FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { corrupt, fileError } from "./checkpoint-error.ts";
import type { SourceFile } from "./tensor-source.ts";

/** One read call asks for at most this much: more is not faster, and Linux itself stops at 2 GiB. */
const MAX_READ_BYTES = 256 * 1024 * 1024;

/** A read-only file of a checkpoint with positional reads that give all bytes or an error. */
export class CheckpointFile implements SourceFile, AsyncDisposable {
  readonly path: string;
  /** Last part of the path, for messages. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly #handle: FileHandle;
  #closing: Promise<void> | null = null;

  private constructor(path: string, handle: FileHandle, sizeBytes: number, modifiedMs: number) {
    this.path = path;
    this.name = basename(path);
    this.#handle = handle;
    this.sizeBytes = sizeBytes;
    this.modifiedMs = modifiedMs;
  }

  /** Throws MODEL_NOT_FOUND (no such file), MODEL_CORRUPT (not a regular file) or VOLUME_UNAVAILABLE. */
  static async open(path: string): Promise<CheckpointFile> {
    const handle = await open(path, "r").catch((error: unknown) => {
      throw fileError(path, "open", error);
    });
    try {
      const status = await handle.stat();
      if (!status.isFile()) throw corrupt(basename(path), "it is not a regular file");
      return new CheckpointFile(path, handle, status.size, status.mtimeMs);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Fills `target` from `position` on. Throws MODEL_CORRUPT when the file ends before. */
  async readInto(target: Uint8Array, position: number): Promise<void> {
    if (position < 0 || position + target.length > this.sizeBytes) {
      const end = position + target.length;
      throw corrupt(this.name, `it is truncated (got ${this.sizeBytes} bytes, needed ${end})`);
    }
    let done = 0;
    while (done < target.length) {
      const length = Math.min(target.length - done, MAX_READ_BYTES);
      const { bytesRead } = await this.#handle.read(target, done, length, position + done).catch((error: unknown) => {
        throw fileError(this.path, "read", error);
      });
      if (bytesRead === 0) throw corrupt(this.name, "it became shorter while it was read");
      done += bytesRead;
    }
  }

  /** The bytes of a range whose length the caller has already limited. */
  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    await this.readInto(bytes, position);
    return bytes;
  }

  close(): Promise<void> {
    this.#closing ??= this.#handle.close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Reads a small file whole. Throws MODEL_CORRUPT when it is larger than `maxBytes`. */
export async function readSmallFile(path: string, maxBytes: number): Promise<Uint8Array> {
  const file = await CheckpointFile.open(path);
  try {
    if (file.sizeBytes > maxBytes) {
      throw corrupt(file.name, `it is too large (got ${file.sizeBytes} bytes, limit ${maxBytes})`);
    }
    return await file.read(0, file.sizeBytes);
  } finally {
    await file.close();
  }
}
