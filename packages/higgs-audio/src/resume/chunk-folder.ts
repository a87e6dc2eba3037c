import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isHiggsError, makeFolders, readRegularFile, systemReason, writeAtomically } from "@higgs-worker/base";
import { readChunkFile, writeChunkFile } from "./chunk-file.ts";
import type { ChunkKey, ChunkStore, StoredChunk } from "./stored-chunk.ts";

export interface ChunkFolderOptions {
  readonly directory: string;
  /** Told, without any text, why a chunk was not used or not kept. */
  readonly onProblem?: ((problem: string) => void) | undefined;
}

/** The longest chunk that the context has room for has 8192 frames: 131 kB of codes. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;

const READ_OPTIONS = {
  subject: "read a finished chunk",
  missing: "INTERNAL",
  refused: "VOLUME_UNAVAILABLE",
  maxBytes: MAX_FILE_BYTES,
} as const;

const SPEECH_NAME = /^[0-9a-f]{64}$/;

/**
 * Finished chunks as files, in one folder a speech. Any number of processes may share it, also for the same speech: a file gets
 * its name when it is complete, names its place in the speech and what came before it, and one that is damaged or of another
 * speech counts as missing and is written again.
 */
export class ChunkFolder implements ChunkStore {
  readonly #options: ChunkFolderOptions;

  constructor(options: ChunkFolderOptions) {
    this.#options = options;
  }

  async load(key: ChunkKey): Promise<StoredChunk | null> {
    try {
      const chunk = readChunkFile(await readRegularFile(this.#pathOf(key), READ_OPTIONS), key);
      if (typeof chunk !== "string") return chunk;
      this.#report(`the file of chunk ${key.index} is ${chunk}; the chunk is spoken again`);
    } catch (error) {
      const isMissing = isHiggsError(error) && error.code === READ_OPTIONS.missing;
      if (!isMissing) this.#report(`chunk ${key.index} cannot be read: ${reasonOf(error)}`);
    }
    return null;
  }

  async save(key: ChunkKey, chunk: StoredChunk): Promise<void> {
    try {
      await makeFolders(join(this.#options.directory, key.speech));
      // Lost in a power failure, a chunk costs its time; in a folder of its own it is found or not.
      await writeAtomically(this.#pathOf(key), writeChunkFile(key, chunk), { isDurable: false });
    } catch (error) {
      this.#report(`chunk ${key.index} cannot be kept: ${reasonOf(error)}`);
    }
  }

  /** Removes all chunks of a speech. Never rejects. */
  async remove(speech: string): Promise<void> {
    await rm(join(this.#options.directory, speech), { recursive: true, force: true }).catch((error: unknown) =>
      this.#report(`the finished chunks cannot be removed: ${reasonOf(error)}`),
    );
  }

  #pathOf({ speech, index }: ChunkKey): string {
    return join(this.#options.directory, speech, `${String(index).padStart(6, "0")}.chunk`);
  }

  #report(problem: string): void {
    this.#options.onProblem?.(problem);
  }
}

export interface SweepLimits {
  /** Speeches of which no chunk was written for so long go. */
  readonly maxAgeMs: number;
  /** Of all speeches; the oldest go first. */
  readonly maxBytes: number;
  /** Default: now. */
  readonly nowMs?: number;
}

/** Removes the chunks of speeches that nobody went on with; gives how many speeches went. Never rejects. */
export async function sweepChunkFolder(directory: string, limits: SweepLimits): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  const speeches = await Promise.all(
    names.filter((name) => SPEECH_NAME.test(name)).map((name) => measure(directory, name)),
  );
  speeches.sort((a, b) => b.changedMs - a.changedMs);
  let bytes = 0;
  let removed = 0;
  for (const speech of speeches) {
    bytes += speech.bytes;
    const isOld = (limits.nowMs ?? Date.now()) - speech.changedMs > limits.maxAgeMs;
    if (!isOld && bytes <= limits.maxBytes) continue;
    await rm(speech.path, { recursive: true, force: true }).catch(() => undefined);
    removed += 1;
  }
  return removed;
}

async function measure(directory: string, name: string) {
  const path = join(directory, name);
  const files = await readdir(path).catch(() => []);
  const facts = await Promise.all(["", ...files].map((file) => stat(join(path, file)).catch(() => null)));
  return {
    path,
    bytes: facts.reduce((sum, file) => sum + (file?.isFile() === true ? file.size : 0), 0),
    changedMs: Math.max(0, ...facts.map((file) => file?.mtimeMs ?? 0)),
  };
}

function reasonOf(error: unknown): string {
  return isHiggsError(error) ? error.reason : systemReason(error);
}
