import { createHash, randomUUID } from "node:crypto";
import { open, rm, type FileHandle } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { HiggsError, makeFolders, removePartials, systemReason, writeAtomically } from "@higgs-worker/base";
import { writeAll } from "../file-store.ts";
import type { AudioSource } from "../object-store.ts";

export interface AudioSpoolOptions {
  /** Bytes that are kept in memory before there is a file; short audio needs none. */
  readonly memoryBytes: number;
  /** Folder of the temporary file; the system's by default. */
  readonly folder?: string;
  /** Called when the file cannot be written; the audio is kept in memory then. */
  readonly onProblem?: (reason: string) => void;
  /** Creates the file; for tests of disks that fail. */
  readonly openFile?: (path: string) => Promise<FileHandle>;
}

/** After the file has begun, so much is collected for one write. */
const WRITE_BYTES = 262_144;
const HASH_BYTES = 1_048_576;

/**
 * Keeps audio while it is made: in memory at first, then in a temporary file, so that memory does not grow with length. What a
 * full or lost disk does not take stays in memory, so that nothing is lost. `append` calls must not overlap; reads may.
 */
export class AudioSpool implements AudioSource {
  readonly #options: AudioSpoolOptions;
  #path: string | null = null;
  #file: FileHandle | null = null;
  #fileBytes = 0;
  /** What follows the bytes of the file. */
  #memory: Uint8Array[] = [];
  #memoryBytes = 0;
  /** Stands in place of the first bytes. */
  #head = new Uint8Array(0);
  /** Memory that must be full before the next write. */
  #writeAtBytes: number;

  constructor(options: AudioSpoolOptions) {
    this.#options = options;
    this.#writeAtBytes = options.memoryBytes;
  }

  get size(): number {
    return this.#fileBytes + this.#memoryBytes;
  }

  /** Bytes of audio in memory. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Adds bytes at the end, which must not be changed afterwards. Never rejects. */
  async append(bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength === 0) return;
    this.#memory.push(bytes);
    this.#memoryBytes += bytes.byteLength;
    if (this.#memoryBytes >= this.#writeAtBytes) await this.#write();
  }

  /** Replaces the first bytes. */
  setHead(head: Uint8Array): void {
    this.#head = Uint8Array.from(head);
  }

  /** @throws {HiggsError} STORAGE_FAILED when the temporary file cannot be read */
  async read(start: number, end: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(end - start);
    // An append may move bytes from memory into the file meanwhile.
    const { fileBytes, memory } = { fileBytes: this.#fileBytes, memory: [...this.#memory] };
    if (start < fileBytes) await this.#readFile(bytes.subarray(0, Math.min(end, fileBytes) - start), start);
    let at = fileBytes;
    for (const part of memory) {
      const from = Math.max(start, at);
      const to = Math.min(end, at + part.byteLength);
      if (from < to) bytes.set(part.subarray(from - at, to - at), from - start);
      at += part.byteLength;
    }
    if (start < this.#head.byteLength) bytes.set(this.#head.subarray(start, end));
    return bytes;
  }

  /** Lower-case hex. */
  async sha256(): Promise<string> {
    const hash = createHash("sha256");
    for (let start = 0; start < this.size; start += HASH_BYTES) {
      hash.update(await this.read(start, Math.min(start + HASH_BYTES, this.size)));
    }
    return hash.digest("hex");
  }

  /**
   * Keeps the audio as a file of that name in another folder.
   *
   * @throws {Error} of the file system
   */
  async keepIn(folder: string, name: string): Promise<string> {
    const path = join(folder, name);
    await makeFolders(folder);
    await writeAtomically(path, (file) => writeAll(file, this));
    await this.discard();
    return path;
  }

  /** Removes the temporary file and forgets the audio. Never rejects. */
  async discard(): Promise<void> {
    this.#memory = [];
    this.#memoryBytes = 0;
    this.#fileBytes = 0;
    await this.#close();
  }

  async #write(): Promise<void> {
    const bytes = Buffer.concat(this.#memory);
    try {
      this.#file ??= await this.#open();
      for (let at = 0; at < bytes.byteLength;) {
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.byteLength - at, this.#fileBytes + at);
        at += bytesWritten;
      }
      this.#fileBytes += bytes.byteLength;
      this.#memory = [];
      this.#memoryBytes = 0;
      this.#writeAtBytes = WRITE_BYTES;
    } catch (error) {
      // Tried again when as much has come once more: the disk may have room then.
      this.#writeAtBytes = this.#memoryBytes + this.#options.memoryBytes;
      this.#options.onProblem?.(systemReason(error));
    }
  }

  async #open(): Promise<FileHandle> {
    const folder = this.#options.folder ?? tmpdir();
    await makeFolders(folder);
    sweepOnce(folder);
    this.#path = join(folder, `.${OWN_STEM}.${randomUUID()}.partial`);
    const openFile = this.#options.openFile ?? ((path: string) => open(path, "wx+", 0o600));
    return await openFile(this.#path);
  }

  async #readFile(target: Uint8Array, position: number): Promise<void> {
    try {
      for (let at = 0; at < target.byteLength;) {
        const { bytesRead } = (await this.#file?.read(target, at, target.byteLength - at, position + at)) ?? {};
        if (bytesRead === undefined || bytesRead === 0) throw new Error("the file is shorter than what was written");
        at += bytesRead;
      }
    } catch (error) {
      const reason = `the temporary file cannot be read: ${systemReason(error)}`;
      throw new HiggsError("STORAGE_FAILED", "read the audio back", reason, { cause: error });
    }
  }

  async #close(): Promise<void> {
    const path = this.#path;
    await this.#file?.close().catch(() => undefined);
    this.#file = null;
    this.#path = null;
    if (path !== null) await rm(path, { force: true }).catch(() => undefined);
  }
}

/** Tells the files of this machine's processes apart: others may share the folder. */
const STEM_PREFIX = `higgs-audio-${hostname()}-`;
const OWN_STEM = `${STEM_PREFIX}${process.pid}`;
const swept = new Set<string>();

/** Removes what killed processes left. */
function sweepOnce(folder: string): void {
  if (swept.has(folder)) return;
  swept.add(folder);
  void removePartials(folder, (stem) => {
    if (!stem.startsWith(STEM_PREFIX)) return false;
    const pid = Number(stem.slice(STEM_PREFIX.length));
    return Number.isSafeInteger(pid) && pid !== process.pid && !isAlive(pid);
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
