import { crc32 } from "node:zlib";
import { corrupt, quote, unsupported } from "../checkpoint-error.ts";
import type { CheckpointFile } from "../checkpoint-file.ts";
import { MAX_PICKLE_BYTES } from "../limits.ts";
import { listStoredEntries, type StoredEntry } from "./stored-zip.ts";
import { readTorchPickle, type TorchContents } from "./torch-tensors.ts";

/**
 * Reads the frame of torch 1.6 and later: a zip of stored members, `data.pkl` with a dictionary of tensors and `data/<key>`
 * with their bytes.
 *
 * @throws {HiggsError} MODEL_CORRUPT when the file is damaged
 * @throws {HiggsError} MODEL_UNSUPPORTED for a big-endian file or one that holds other objects
 */
export async function readTorchArchive(file: CheckpointFile): Promise<TorchContents> {
  const entries = await listStoredEntries(file);
  const pickles = [...entries.values()].filter((entry) => entry.name.endsWith("/data.pkl"));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw corrupt(file.name, `it is not a torch archive (got ${pickles.length} members data.pkl, expected 1)`);
  }
  const folder = pickle.name.slice(0, -"data.pkl".length);
  const bytes = await readMember(file, pickle);
  await checkByteOrder(file, entries.get(`${folder}byteorder`));
  const prefix = `${folder}data/`;
  const storages = [...entries].filter(([name]) => name.startsWith(prefix));
  const { value, end } = readTorchPickle(bytes, 0, file.name);
  if (end !== bytes.length) throw corrupt(file.name, "its pickle is damaged: it has bytes after its end");
  return { file, storages: new Map(storages.map(([name, entry]) => [name.slice(prefix.length), entry])), saved: value };
}

/** `torch.serialization.set_crc32_options(False)` leaves the checksums at this. */
const NO_CHECKSUM = 0;

async function readMember(file: CheckpointFile, entry: StoredEntry): Promise<Uint8Array> {
  if (entry.byteLength > MAX_PICKLE_BYTES) {
    throw corrupt(
      file.name,
      `${quote(entry.name)} is too large (got ${entry.byteLength} bytes, limit ${MAX_PICKLE_BYTES})`,
    );
  }
  const bytes = await file.read(entry.position, entry.byteLength);
  if (entry.crc32 !== NO_CHECKSUM && crc32(bytes) !== entry.crc32) {
    throw corrupt(file.name, `the checksum of ${quote(entry.name)} is wrong`);
  }
  return bytes;
}

/** Files of torch before 2.1 have no such member; they are little-endian on every machine that we run on. */
async function checkByteOrder(file: CheckpointFile, entry: StoredEntry | undefined): Promise<void> {
  if (entry === undefined) return;
  const order = new TextDecoder().decode(await readMember(file, entry));
  if (order !== "little") throw unsupported(file.name, `its byte order is not little-endian (got ${quote(order)})`);
}
