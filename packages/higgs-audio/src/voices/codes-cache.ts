import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../checkpoint/convert/make-folders.ts";
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
 * disk is a help, not a condition: where it cannot be read or written, codes are kept in memory alone.
 */
export class CodesCache {
  readonly #options: CodesCacheOptions;
  /** In the order of their last use. */
  readonly #kept = new Map<string, Codes>();
  #keptBytes = 0;

  constructor(options: CodesCacheOptions) {
    this.#options = options;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Codes in memory, or null. */
  recall(key: string): Codes | null {
    const codes = this.#kept.get(key);
    if (codes === undefined) return null;
    this.#kept.delete(key);
    this.#kept.set(key, codes);
    return codes;
  }

  /** Codes on disk, which are in memory then too, or null. */
  async read(key: string): Promise<Codes | null> {
    const path = this.#pathOf(key);
    const bytes = path === null ? null : await readFile(path).catch(() => null);
    const codes = bytes === null ? null : readCodesFile(bytes, this.#options.shape);
    if (codes !== null) this.#keep(key, codes);
    return codes;
  }

  /** Keeps codes in memory, and on disk where that works. */
  async write(key: string, codes: Codes): Promise<void> {
    this.#keep(key, codes);
    const { directory } = this.#options;
    const path = this.#pathOf(key);
    if (directory === null || path === null) return;
    const partial = `${path}.${randomUUID()}.partial`;
    try {
      await makeFolders(directory);
      await writeFile(partial, writeCodesFile(codes), { flag: "wx" });
      await rename(partial, path);
    } catch {
      // A full or read-only disk costs another encoding some day, not this request.
      await rm(partial, { force: true }).catch(() => undefined);
    }
  }

  #keep(key: string, codes: Codes): void {
    const old = this.#kept.get(key);
    if (old !== undefined) this.#drop(key, old);
    this.#kept.set(key, codes);
    this.#keptBytes += bytesOf(codes);
    for (const [oldest, oldCodes] of this.#kept) {
      if (this.#keptBytes <= this.#options.memoryBytes) return;
      this.#drop(oldest, oldCodes);
    }
  }

  #drop(key: string, codes: Codes): void {
    this.#kept.delete(key);
    this.#keptBytes -= bytesOf(codes);
  }

  #pathOf(key: string): string | null {
    return this.#options.directory === null ? null : join(this.#options.directory, `${key}.codes`);
  }
}

function bytesOf(codes: Codes): number {
  return codes.reduce((sum, row) => sum + row.byteLength, 0);
}
