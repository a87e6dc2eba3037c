import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { makeFolders, writeAtomically } from "@higgs-worker/base";
import type { HubFile } from "./hub-client.ts";

/** Parts of a file that are downloaded side by side, and what a killed process loses at most of each. */
const SEGMENT_BYTES = 64 * 1024 * 1024;

/** A range of a file; `index` counts from its beginning. */
export interface Segment {
  readonly index: number;
  readonly start: number;
  readonly end: number;
}

/**
 * A file that is being downloaded in segments, in any order. The finished ones are noted beside it, so that another process
 * can go on after a crash. It gets its name when it is whole and its hash is right.
 */
export class PartialFile implements AsyncDisposable {
  readonly #path: string;
  readonly #partialPath: string;
  readonly #notePath: string;
  readonly #file: HubFile;
  readonly #handle: FileHandle;
  readonly #segmentBytes: number;
  readonly #done: Set<number>;
  #noting: Promise<void> = Promise.resolve();

  private constructor(
    path: string,
    paths: Paths,
    file: HubFile,
    segmentBytes: number,
    handle: FileHandle,
    done: Set<number>,
  ) {
    this.#path = path;
    this.#partialPath = paths.partial;
    this.#notePath = paths.note;
    this.#file = file;
    this.#segmentBytes = segmentBytes;
    this.#handle = handle;
    this.#done = done;
  }

  /** Continues an earlier download of the same content, or begins one. Throws the file system's errors. */
  static async open(path: string, file: HubFile, segmentBytes = SEGMENT_BYTES): Promise<PartialFile> {
    const paths = pathsOf(path, file);
    await makeFolders(dirname(path));
    const done = await readNote(paths, file, segmentBytes);
    const handle = await open(paths.partial, done.size > 0 ? "r+" : "w+");
    return new PartialFile(path, paths, file, segmentBytes, handle, done);
  }

  /** Segments that are still to be downloaded. */
  missing(): Segment[] {
    return segmentsOf(this.#file, this.#segmentBytes).filter(({ index }) => !this.#done.has(index));
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.byteLength;) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.byteLength - done, position + done);
      done += bytesWritten;
    }
  }

  /** Notes that a segment is on disk. */
  async finishSegment({ index }: Segment): Promise<void> {
    await this.#handle.datasync();
    this.#done.add(index);
    this.#noting = this.#noting.then(() =>
      writeAtomically(this.#notePath, JSON.stringify({ segmentBytes: this.#segmentBytes, done: [...this.#done] })),
    );
    await this.#noting;
  }

  /**
   * Compares the whole file with its hash, and gives it its name. A wrong one is removed.
   *
   * @returns whether the hash was right
   */
  async finish(): Promise<boolean> {
    await this.#handle.truncate(this.#file.sizeBytes);
    await this.#handle.sync();
    const isRight = (await hashFile(this.#partialPath, this.#file)) === this.#file.hash.hex;
    if (isRight) await rename(this.#partialPath, this.#path);
    else await rm(this.#partialPath, { force: true });
    await rm(this.#notePath, { force: true });
    return isRight;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#noting.catch(() => undefined);
    await this.#handle.close();
  }
}

interface Paths {
  readonly partial: string;
  readonly note: string;
}

/** The names have the content's hash: a partial file of other content is never continued. */
function pathsOf(path: string, { hash }: HubFile): Paths {
  const stem = join(dirname(path), `.${basename(path)}.${hash.hex.slice(0, 16)}`);
  return { partial: `${stem}.download`, note: `${stem}.segments` };
}

/** Bytes of a file that an earlier download has already. */
export async function downloadedBytes(path: string, file: HubFile, segmentBytes = SEGMENT_BYTES): Promise<number> {
  const done = await readNote(pathsOf(path, file), file, segmentBytes);
  return segmentsOf(file, segmentBytes).reduce(
    (sum, { index, start, end }) => sum + (done.has(index) ? end - start : 0),
    0,
  );
}

/** A note of segments of another size is not used. */
async function readNote({ partial, note }: Paths, file: HubFile, segmentBytes: number): Promise<Set<number>> {
  try {
    const { size } = await stat(partial);
    const noted = JSON.parse(await readFile(note, "utf8")) as {
      readonly segmentBytes?: unknown;
      readonly done?: unknown;
    };
    if (noted.segmentBytes !== segmentBytes || !Array.isArray(noted.done)) return new Set();
    const known = new Set<unknown>(noted.done);
    const there = segmentsOf(file, segmentBytes).filter(({ index, end }) => known.has(index) && end <= size);
    return new Set(there.map(({ index }) => index));
  } catch {
    return new Set();
  }
}

function segmentsOf({ sizeBytes }: HubFile, segmentBytes: number): Segment[] {
  return Array.from({ length: Math.ceil(sizeBytes / segmentBytes) }, (_, index) => ({
    index,
    start: index * segmentBytes,
    end: Math.min(sizeBytes, (index + 1) * segmentBytes),
  }));
}

/** The hash of a file on disk, of the kind that the Hub gives for it. */
export async function hashFile(path: string, { hash: { kind }, sizeBytes }: HubFile): Promise<string> {
  const hash: Hash = createHash(kind === "sha256" ? "sha256" : "sha1");
  if (kind === "git-blob") hash.update(`blob ${sizeBytes}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
