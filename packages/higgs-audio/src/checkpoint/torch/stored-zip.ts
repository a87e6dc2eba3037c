import { callbackify } from "node:util";
import { fromRandomAccessReaderPromise, RandomAccessReader, type Entry, type ZipFile } from "yauzl";
import { corrupt, quote, unsupported } from "../checkpoint-error.ts";
import type { CheckpointFile } from "../checkpoint-file.ts";
import { checkNoOverlap } from "../file-tensor-source.ts";
import { MAX_ZIP_ENTRIES } from "../limits.ts";

/** An uncompressed member of a zip archive and the place of its bytes in the archive's file. */
export interface StoredEntry {
  readonly name: string;
  readonly position: number;
  readonly byteLength: number;
  readonly crc32: number;
}

const STORED = 0;
const ENCRYPTED_FLAG = 1;

/**
 * Lists the members of a zip (or zip64) archive. Only members that are stored as they are, as torch.save writes them, are
 * accepted: then no member can be larger than the file, and its bytes can be read in place.
 *
 * @throws {HiggsError} MODEL_CORRUPT for anything that is not a sound archive of that kind
 */
export async function listStoredEntries(file: CheckpointFile): Promise<ReadonlyMap<string, StoredEntry>> {
  const zip = await openZip(file);
  try {
    return await readEntries(zip, file);
  } catch (error) {
    throw asCorrupt(file, error);
  } finally {
    zip.close();
  }
}

async function openZip(file: CheckpointFile): Promise<ZipFile> {
  try {
    const options = { autoClose: false, lazyEntries: true, strictFileNames: true, validateEntrySizes: true };
    return await fromRandomAccessReaderPromise(new BoundedReader(file), file.sizeBytes, options);
  } catch (error) {
    throw asCorrupt(file, error);
  }
}

async function readEntries(zip: ZipFile, file: CheckpointFile): Promise<Map<string, StoredEntry>> {
  if (zip.entryCount > MAX_ZIP_ENTRIES) {
    throw corrupt(file.name, `it has too many zip entries (got ${zip.entryCount}, limit ${MAX_ZIP_ENTRIES})`);
  }
  const entries = new Map<string, StoredEntry>();
  for await (const entry of zip.eachEntry()) {
    if (entries.has(entry.fileName)) throw corrupt(file.name, `it has two zip entries ${quote(entry.fileName)}`);
    entries.set(entry.fileName, await locateEntry(zip, file, entry));
  }
  checkNoOverlap(file.name, [...entries.values()]);
  return entries;
}

async function locateEntry(zip: ZipFile, file: CheckpointFile, entry: Entry): Promise<StoredEntry> {
  const label = `zip entry ${quote(entry.fileName)}`;
  if ((entry.generalPurposeBitFlag & ENCRYPTED_FLAG) !== 0) throw unsupported(file.name, `${label} is encrypted`);
  if (entry.compressionMethod !== STORED) {
    throw corrupt(
      file.name,
      `${label} is compressed, which torch.save never does (got method ${entry.compressionMethod})`,
    );
  }
  const header = await zip.readLocalFileHeaderPromise(entry);
  if (!entry.fileNameRaw.equals(header.fileName) || header.compressionMethod !== STORED) {
    throw corrupt(file.name, `${label} differs between the directory and its own header`);
  }
  return {
    name: entry.fileName,
    position: header.fileDataStart,
    byteLength: entry.uncompressedSize,
    crc32: entry.crc32,
  };
}

/** What yauzl reports about an archive is always that the archive is wrong; file errors are ours and pass through. */
function asCorrupt(file: CheckpointFile, error: unknown): Error {
  if (error instanceof Error && error.name === "HiggsError") return error;
  const why = error instanceof Error ? error.message : String(error);
  return corrupt(file.name, `it is not a sound zip archive: ${quote(why)}`, error);
}

/** Lets yauzl read a checkpoint file. Positions that a hostile directory invents end in an error, not in `fs.read`. */
class BoundedReader extends RandomAccessReader {
  readonly #file: CheckpointFile;

  constructor(file: CheckpointFile) {
    super();
    this.#file = file;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    callbackify(() => this.#file.readInto(buffer.subarray(offset, offset + length), position))(callback);
  }

  /** The file belongs to the caller. */
  override close(callback: (error: Error | null) => void): void {
    setImmediate(callback, null);
  }
}
