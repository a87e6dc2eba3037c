import type { FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { openRegularFile, readFully, readRegularFile, type RegularFileOptions } from "@higgs-worker/base";
import { corrupt, fileError } from "./checkpoint-error.ts";
import type { SourceFile } from "./tensor-source.ts";

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

  /**
   * Opens a regular file for reading.
   *
   * @throws {HiggsError} MODEL_NOT_FOUND when there is no such file
   * @throws {HiggsError} MODEL_CORRUPT when it is not a regular file
   * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be opened
   */
  static async open(path: string): Promise<CheckpointFile> {
    const { handle, status } = await openRegularFile(path, openOptions(path));
    return new CheckpointFile(path, handle, status.size, status.mtimeMs);
  }

  /**
   * Fills `target` from `position` on.
   *
   * @throws {HiggsError} MODEL_CORRUPT when the file ends before
   * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be read
   */
  async readInto(target: Uint8Array, position: number): Promise<void> {
    if (position < 0 || position + target.length > this.sizeBytes) {
      const end = position + target.length;
      throw corrupt(this.name, `it is truncated (got ${this.sizeBytes} bytes, needed ${end})`);
    }
    const isWhole = await readFully(this.#handle, target, position).catch((error: unknown) => {
      throw fileError(this.path, "read", error);
    });
    if (!isWhole) throw corrupt(this.name, "it became shorter while it was read");
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

/**
 * Reads a small file whole.
 *
 * @throws as `CheckpointFile.open`
 * @throws {HiggsError} MODEL_CORRUPT when it is larger than `maxBytes`
 */
export function readSmallFile(path: string, maxBytes: number): Promise<Uint8Array> {
  return readRegularFile(path, { ...openOptions(path), maxBytes });
}

function openOptions(path: string): RegularFileOptions {
  return { subject: `read ${basename(path)}`, missing: "MODEL_NOT_FOUND", refused: "MODEL_CORRUPT" };
}
