import { crc32 } from "node:zlib";
import { corrupt, quote, unsupported } from "../checkpoint-error.ts";
import { CheckpointFile } from "../checkpoint-file.ts";
import { FileTensorSource, hashStructure, stridedSpan, type LocatedTensor } from "../file-tensor-source.ts";
import { MAX_PICKLE_BYTES, MAX_TENSOR_DIMS, MAX_TENSOR_NAME_LENGTH, MAX_TENSORS } from "../limits.ts";
import { countElements, DTYPE_BYTES, formatShape, type TensorDtype, type TensorSource } from "../tensor-source.ts";
import { isKind, readPickle, type PickleCall, type PickleTuple, type PickleValue } from "./pickle.ts";
import { listStoredEntries, type StoredEntry } from "./stored-zip.ts";

const STORAGE_DTYPES: Readonly<Record<string, TensorDtype>> = {
  "torch.DoubleStorage": "F64",
  "torch.FloatStorage": "F32",
  "torch.HalfStorage": "F16",
  "torch.BFloat16Storage": "BF16",
  "torch.LongStorage": "I64",
  "torch.IntStorage": "I32",
  "torch.ShortStorage": "I16",
  "torch.CharStorage": "I8",
  "torch.ByteStorage": "U8",
  "torch.BoolStorage": "BOOL",
};

const REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2";
const REBUILD_PARAMETER = "torch._utils._rebuild_parameter";

const ALLOWED_GLOBALS: ReadonlySet<string> = new Set([
  "collections.OrderedDict",
  REBUILD_TENSOR,
  REBUILD_PARAMETER,
  ...Object.keys(STORAGE_DTYPES),
]);

/**
 * Opens a file written by `torch.save(state_dict)` (torch 1.6 or later): a zip of stored members, `data.pkl` with a
 * dictionary of tensors and `data/<key>` with their bytes. Nothing of the pickle is executed.
 * Throws MODEL_CORRUPT for anything else, and MODEL_UNSUPPORTED for a big-endian file.
 */
export async function openTorchArchive(path: string): Promise<TensorSource> {
  const file = await CheckpointFile.open(path);
  try {
    const archive = await readArchive(file);
    const located = locateTensors(archive);
    return new FileTensorSource([file], located, hashStructure(located.values()));
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface TorchArchive {
  readonly file: CheckpointFile;
  /** Storage key → its member. */
  readonly storages: ReadonlyMap<string, StoredEntry>;
  readonly stateDict: PickleValue;
}

async function readArchive(file: CheckpointFile): Promise<TorchArchive> {
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
  return {
    file,
    storages: new Map(storages.map(([name, entry]) => [name.slice(prefix.length), entry])),
    stateDict: readPickle(bytes, ALLOWED_GLOBALS, file.name),
  };
}

async function readMember(file: CheckpointFile, entry: StoredEntry): Promise<Uint8Array> {
  if (entry.byteLength > MAX_PICKLE_BYTES) {
    throw corrupt(
      file.name,
      `${quote(entry.name)} is too large (got ${entry.byteLength} bytes, limit ${MAX_PICKLE_BYTES})`,
    );
  }
  const bytes = await file.read(entry.position, entry.byteLength);
  if (crc32(bytes) !== entry.crc32) throw corrupt(file.name, `the checksum of ${quote(entry.name)} is wrong`);
  return bytes;
}

/** Files of torch before 2.1 have no such member; they are little-endian on every machine that we run on. */
async function checkByteOrder(file: CheckpointFile, entry: StoredEntry | undefined): Promise<void> {
  if (entry === undefined) return;
  const order = new TextDecoder().decode(await readMember(file, entry));
  if (order !== "little") throw unsupported(file.name, `its byte order is not little-endian (got ${quote(order)})`);
}

function locateTensors(archive: TorchArchive): Map<string, LocatedTensor> {
  const { file, stateDict } = archive;
  if (!isKind(stateDict, "dict")) throw corrupt(file.name, "its pickle is not a dictionary of tensors");
  if (stateDict.entries.size > MAX_TENSORS) {
    throw corrupt(file.name, `it has too many tensors (got ${stateDict.entries.size}, limit ${MAX_TENSORS})`);
  }
  return new Map([...stateDict.entries].map(([name, value]) => [name, locateTensor(archive, name, value)]));
}

function locateTensor(archive: TorchArchive, name: string, value: PickleValue): LocatedTensor {
  const { file } = archive;
  if (name.length > MAX_TENSOR_NAME_LENGTH) {
    throw corrupt(file.name, `a tensor's name is too long (got ${name.length}, limit ${MAX_TENSOR_NAME_LENGTH})`);
  }
  // _rebuild_tensor_v2(storage, storage offset, size, stride, requires_grad, hooks[, metadata])
  const [reference, offset, size, stride] = unwrapParameter(file, name, value).args.items;
  const storage = findStorage(archive, name, reference);
  const shape = readSizes(size);
  const strides = readSizes(stride);
  if (shape === null || strides === null || shape.length !== strides.length || !isSize(offset)) {
    throw corrupt(file.name, `tensor ${quote(name)} has no sound shape`);
  }
  const place: Placement = { offset, shape, strides, storageElements: storage.elements };
  checkPlacement(file, name, place);
  const itemBytes = DTYPE_BYTES[storage.dtype];
  return {
    name,
    dtype: storage.dtype,
    shape,
    byteLength: countElements(shape) * itemBytes,
    file,
    position: storage.entry.position + offset * itemBytes,
    strides: isContiguous(shape, strides) ? null : strides,
  };
}

/** A parameter is a tensor with a flag: `_rebuild_parameter(tensor, requires_grad, hooks)`. */
function unwrapParameter(file: CheckpointFile, name: string, value: PickleValue): PickleCall {
  const isParameter = isKind(value, "call") && value.callee === REBUILD_PARAMETER;
  const tensor = isParameter ? value.args.items[0] : value;
  if (!isKind(tensor, "call") || tensor.callee !== REBUILD_TENSOR) {
    throw corrupt(file.name, `the value of ${quote(name)} is not a tensor`);
  }
  return tensor;
}

interface Storage {
  readonly dtype: TensorDtype;
  readonly elements: number;
  readonly entry: StoredEntry;
}

/** A storage's persistent id is `("storage", torch.FloatStorage, key, device, number of elements)`. */
function findStorage(archive: TorchArchive, name: string, reference: PickleValue | undefined): Storage {
  const { file, storages } = archive;
  const id = isKind(reference, "reference") && isKind(reference.id, "tuple") ? reference.id : EMPTY_TUPLE;
  const [tag, type, key, , elements] = id.items;
  const dtype = isKind(type, "global") ? STORAGE_DTYPES[type.name] : undefined;
  if (tag !== "storage" || dtype === undefined || typeof key !== "string" || !isSize(elements)) {
    throw corrupt(file.name, `tensor ${quote(name)} has no sound storage`);
  }
  const entry = storages.get(key);
  if (entry === undefined)
    throw corrupt(file.name, `the storage of tensor ${quote(name)} is missing (got ${quote(key)})`);
  if (entry.byteLength !== elements * DTYPE_BYTES[dtype]) {
    const sizes = `got ${entry.byteLength} bytes, expected ${elements * DTYPE_BYTES[dtype]}`;
    throw corrupt(file.name, `the storage of tensor ${quote(name)} has another size than it claims (${sizes})`);
  }
  return { dtype, elements, entry };
}

const EMPTY_TUPLE: PickleTuple = { kind: "tuple", items: [] };

interface Placement {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly storageElements: number;
}

/** The tensor must lie inside its storage, and must not repeat elements to become larger than it. */
function checkPlacement(file: CheckpointFile, name: string, place: Placement): void {
  const { offset, shape, strides, storageElements } = place;
  if (shape.length > MAX_TENSOR_DIMS) {
    throw corrupt(file.name, `tensor ${quote(name)} has too many axes (got ${shape.length}, limit ${MAX_TENSOR_DIMS})`);
  }
  const end = offset + stridedSpan(shape, strides);
  const elements = countElements(shape);
  if (!(end <= storageElements) || !(elements <= storageElements)) {
    const sizes = `got ${end} for ${formatShape(shape)}, limit ${storageElements}`;
    throw corrupt(file.name, `tensor ${quote(name)} is larger than its storage (${sizes})`);
  }
}

function readSizes(value: PickleValue | undefined): readonly number[] | null {
  return isKind(value, "tuple") && value.items.every(isSize) ? Object.freeze([...value.items] as number[]) : null;
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Axes of size 1 may have any stride. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const size = shape[axis] ?? 1;
    if (size !== 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}
