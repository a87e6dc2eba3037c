import { join } from "node:path";
import { LruCache, makeFolders, readRegularFile, writeAtomically } from "@higgs-worker/base";
import type { CodeShape } from "../codec/codes.ts";
import { readCodesFile, writeCodesFile } from "./codes-file.ts";

type Codes = readonly Int32Array[];

export interface CodesCacheOptions {
  /** Folder for the files; null keeps codes in memory only. */
  readonly directory: string | null;
  /** Bytes of codes kept in memory; a clip of ten seconds takes 8 kB. */
  readonly memoryBytes: number;
  readonly shape: CodeShape;
}

/**
 * Codes of clips by key, in memory (least recently used go first) and on disk. Any number of processes may share the
 * folder: a file gets its name when it is complete, and one that is damaged counts as missing and is written again. The
 * disk is optional: where it cannot be read or written, codes are kept in memory alone.
 */
export class CodesCache {
  readonly #options: CodesCacheOptions;
  readonly #kept: LruCache<string, Codes>;

  constructor(options: CodesCacheOptions) {
    this.#options = options;
    this.#kept = new LruCache({ maxSize: options.memoryBytes, sizeOf: bytesOf });
  }

  get keptBytes(): number {
    return this.#kept.size;
  }

  /** Codes in memory, or null. */
  recall(key: string): Codes | null {
    return this.#kept.get(key) ?? null;
  }

  /** Codes on disk, which are in memory then too, or null. */
  async read(key: string): Promise<Codes | null> {
    const path = this.#pathOf(key);
    const bytes = path === null ? null : await readRegularFile(path, READ_OPTIONS).catch(() => null);
    const codes = bytes === null ? null : readCodesFile(bytes, this.#options.shape);
    if (codes !== null) this.#kept.set(key, codes);
    return codes;
  }

  /** Keeps codes in memory, and on disk where that works. */
  async write(key: string, codes: Codes): Promise<void> {
    this.#kept.set(key, codes);
    const { directory } = this.#options;
    const path = this.#pathOf(key);
    if (directory === null || path === null) return;
    try {
      await makeFolders(directory);
      await writeAtomically(path, writeCodesFile(codes), { isDurable: false });
    } catch {
      // A full or read-only disk costs a later encoding, not this request.
    }
  }

  #pathOf(key: string): string | null {
    return this.#options.directory === null ? null : join(this.#options.directory, `${key}.codes`);
  }
}

/** The longest clip that is taken has 60 s, 48 kB of codes. */
const READ_OPTIONS = {
  subject: "read the codes",
  missing: "INTERNAL",
  refused: "INTERNAL",
  maxBytes: 4 * 1024 * 1024,
} as const;

function bytesOf(codes: Codes): number {
  return codes.reduce((sum, row) => sum + row.byteLength, 0);
}
