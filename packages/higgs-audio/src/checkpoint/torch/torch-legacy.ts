import { corrupt, quote, unsupported } from "../checkpoint-error.ts";
import type { CheckpointFile } from "../checkpoint-file.ts";
import { MAX_PICKLE_BYTES } from "../limits.ts";
import { SAVE_TENSORS_ALONE } from "./pickle.ts";
import { isKind, type PickleValue } from "./pickle-value.ts";
import { readStorageId, readTorchPickle, type StoragePlace, type TorchContents } from "./torch-tensors.ts";

/** The number 0x1950a86a20f9469cfc6c, the file's first pickle: as LONG1 with its length, and as protocol 1 writes it; STOP. */
const MAGICS: readonly Uint8Array[] = [
  Uint8Array.of(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e),
  new TextEncoder().encode("L119547037146038801333356L\n."),
];

/** Before it stand the opcodes of its protocol. */
const MAX_MAGIC_OFFSET = 16;

const PROTOCOL_VERSION = 1001;
const ELEMENT_COUNT_BYTES = 8;

/** Position after the first pickle of a file of torch before 1.6; null when its beginning is another. */
export function findLegacyStart(head: Uint8Array): number | null {
  for (let offset = 0; offset <= MAX_MAGIC_OFFSET; offset += 1) {
    const magic = MAGICS.find((bytes) => bytes.every((byte, index) => head[offset + index] === byte));
    if (magic !== undefined) return offset + magic.length;
  }
  return null;
}

/**
 * Reads the frame of torch before 1.6 (still written with `_use_new_zipfile_serialization=False`): pickles of a magic number, a
 * version, the machine, what was saved and the keys of the storages; then each storage after the number of its elements.
 *
 * @throws {HiggsError} MODEL_CORRUPT when the file is damaged
 * @throws {HiggsError} MODEL_UNSUPPORTED for a big-endian file or one that holds other objects
 */
export async function readTorchLegacy(file: CheckpointFile, start: number): Promise<TorchContents> {
  const head = await file.read(0, Math.min(file.sizeBytes, MAX_PICKLE_BYTES));
  const version = readTorchPickle(head, start, file.name);
  if (version.value !== PROTOCOL_VERSION) {
    throw unsupported(file.name, `it is of an unknown version of torch's old format; ${SAVE_TENSORS_ALONE}`);
  }
  const machine = readTorchPickle(head, version.end, file.name);
  if (isKind(machine.value, "dict") && machine.value.entries.get("little_endian") !== true) {
    throw unsupported(file.name, "its byte order is not little-endian");
  }
  const saved = readTorchPickle(head, machine.end, file.name);
  const keys = readTorchPickle(head, saved.end, file.name);
  const itemBytes = sizesByKey(file, saved.references);
  return {
    file,
    saved: saved.value,
    storages: await walkStorages(file, keys.end, readKeys(file, keys.value), itemBytes),
  };
}

function readKeys(file: CheckpointFile, value: PickleValue): readonly string[] {
  const keys = isKind(value, "list") ? value.items.filter((key) => typeof key === "string") : [];
  if (!isKind(value, "list") || keys.length !== value.items.length) {
    throw corrupt(file.name, "it has no list of its storages");
  }
  return keys;
}

function sizesByKey(file: CheckpointFile, references: readonly PickleValue[]): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const reference of references) {
    const storage = readStorageId(reference);
    const view = isKind(reference, "tuple") ? reference.items[5] : undefined;
    if (storage === null || (view !== undefined && view !== null)) {
      throw unsupported(file.name, `it has storages of a kind that is not known; ${SAVE_TENSORS_ALONE}`);
    }
    sizes.set(storage.key, storage.bytes);
  }
  return sizes;
}

async function walkStorages(
  file: CheckpointFile,
  start: number,
  keys: readonly string[],
  itemBytes: ReadonlyMap<string, number>,
): Promise<Map<string, StoragePlace>> {
  const places = new Map<string, StoragePlace>();
  let position = start;
  for (const key of keys) {
    const bytes = itemBytes.get(key);
    if (bytes === undefined || places.has(key))
      throw corrupt(file.name, `its storage ${quote(key)} belongs to no tensor`);
    const count = await file.read(position, ELEMENT_COUNT_BYTES);
    const elements = Number(new DataView(count.buffer).getBigInt64(0, true));
    position += ELEMENT_COUNT_BYTES;
    const byteLength = elements * bytes;
    if (!(byteLength >= 0 && position + byteLength <= file.sizeBytes)) {
      throw corrupt(file.name, `it is truncated (got ${file.sizeBytes} bytes, needed ${position + byteLength})`);
    }
    places.set(key, { position, byteLength });
    position += byteLength;
  }
  if (position !== file.sizeBytes) throw corrupt(file.name, "it has bytes after its last storage");
  return places;
}
