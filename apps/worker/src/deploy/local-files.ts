import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { HiggsError } from "@higgs-worker/base";
import type { AudioSource } from "../storage/object-store.ts";

/** A file of this machine, and the name that it gets below some folder. */
export interface LocalFile {
  readonly path: string;
  /** With `/` between folders. */
  readonly name: string;
  readonly sizeBytes: number;
}

/** A checkpoint has some dozens. */
const MAX_FILES = 10_000;

/**
 * All files below a folder, links followed, without hidden ones.
 *
 * @throws {HiggsError} MODEL_NOT_FOUND when it cannot be read, has no file, or far too many
 */
export async function filesBelow(folder: string): Promise<LocalFile[]> {
  const files: LocalFile[] = [];
  const visit = async (dir: string): Promise<void> => {
    for (const name of (await readdir(dir)).sort()) {
      if (name.startsWith(".")) continue;
      const path = join(dir, name);
      const status = await stat(path);
      if (status.isDirectory()) await visit(path);
      else if (status.isFile()) {
        files.push({ path, name: relative(folder, path).split(sep).join("/"), sizeBytes: status.size });
      }
      if (files.length > MAX_FILES) throw unusable(folder, `it has too many files (limit ${MAX_FILES})`);
    }
  };
  await visit(folder).catch((error: unknown) => {
    if (error instanceof HiggsError) throw error;
    throw unusable(folder, "it cannot be read", error);
  });
  if (files.length === 0) throw unusable(folder, "it has no files");
  return files;
}

/** The SHA-256 of a file, lower-case hex. */
export async function sha256OfFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** A file as a source of bytes, read where they are asked for; closed when disposed. */
export async function openSource({ path, sizeBytes }: LocalFile): Promise<AudioSource & AsyncDisposable> {
  const handle = await open(path);
  return {
    size: sizeBytes,
    read: async (start, end) => {
      const bytes = Buffer.allocUnsafe(end - start);
      let filled = 0;
      while (filled < bytes.byteLength) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.byteLength - filled, start + filled);
        if (bytesRead === 0) throw unusable(path, "it became shorter while it was read");
        filled += bytesRead;
      }
      return bytes;
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

function unusable(path: string, reason: string, cause?: unknown): HiggsError {
  return new HiggsError("MODEL_NOT_FOUND", "read the model's files", `${reason} (got ${path})`, { cause });
}
