import { corrupt, quote, unsupported } from "../checkpoint-error.ts";
import type { CheckpointFile } from "../checkpoint-file.ts";
import { stridedSpan, type LocatedTensor } from "../file-tensor-source.ts";
import { MAX_TENSOR_DIMS, MAX_TENSOR_NAME_LENGTH, MAX_TENSORS } from "../limits.ts";
import { countElements, formatShape } from "../tensor-source.ts";
import { readPickle, SAVE_TENSORS_ALONE, type Pickle } from "./pickle.ts";
import { isKind, type PickleCall, type PickleDict, type PickleTuple, type PickleValue } from "./pickle-value.ts";

/** An element type: its name as safetensors has it, and the bytes of one element. */
interface StorageType {
  readonly dtype: string;
  readonly bytes: number;
}

/** The storages of torch. Only float tensors are ever read; of the others it is enough to know how large they are. */
const STORAGE_TYPES: Readonly<Record<string, StorageType>> = {
  DoubleStorage: { dtype: "F64", bytes: 8 },
  FloatStorage: { dtype: "F32", bytes: 4 },
  HalfStorage: { dtype: "F16", bytes: 2 },
  BFloat16Storage: { dtype: "BF16", bytes: 2 },
  LongStorage: { dtype: "I64", bytes: 8 },
  IntStorage: { dtype: "I32", bytes: 4 },
  ShortStorage: { dtype: "I16", bytes: 2 },
  CharStorage: { dtype: "I8", bytes: 1 },
  ByteStorage: { dtype: "U8", bytes: 1 },
  BoolStorage: { dtype: "BOOL", bytes: 1 },
  ComplexFloatStorage: { dtype: "C64", bytes: 8 },
  ComplexDoubleStorage: { dtype: "C128", bytes: 16 },
  QInt8Storage: { dtype: "QInt8", bytes: 1 },
  QUInt8Storage: { dtype: "QUInt8", bytes: 1 },
  QInt32Storage: { dtype: "QInt32", bytes: 4 },
  QUInt4x2Storage: { dtype: "QUInt4x2", bytes: 1 },
  QUInt2x4Storage: { dtype: "QUInt2x4", bytes: 1 },
  // Tensors of the types after these name their type beside the storage, which counts bytes.
  UntypedStorage: { dtype: "untyped", bytes: 1 },
};

const REBUILD_PARAMETERS = ["torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"];
const REBUILD_TENSORS = ["torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"];
/** With the element type as seventh argument. */
const REBUILD_UNTYPED = "torch._utils._rebuild_tensor_v3";

/**
 * Globals that a file may name: what tensors are made of. None is ever called. Anything else in a file means that it holds
 * more than tensors, or something unsafe to load with torch.
 */
const ALLOWED_GLOBALS: readonly RegExp[] = [
  /^collections\.OrderedDict$/,
  /^torch\._utils\._rebuild_[a-z0-9_]+$/,
  /^torch\.(?:storage\.)?[A-Za-z0-9]+Storage$/,
  /^torch\.(?:bfloat|bits|bool|complex|double|float|half|int|long|qint|quint|short|uint)[a-z0-9_]*$/,
  /^torch\.(?:Size|device|per_tensor_affine|per_channel_affine)$/,
  /^torch\.serialization\._get_layout$/,
];

/**
 * Reads one pickle of a torch file.
 *
 * @throws as `readPickle`
 */
export function readTorchPickle(bytes: Uint8Array, start: number, fileName: string): Pickle {
  const isAllowed = (global: string): boolean => ALLOWED_GLOBALS.some((pattern) => pattern.test(global));
  return readPickle(bytes, start, { fileName, isAllowed });
}

/** Where the bytes of a storage lie. */
export interface StoragePlace {
  readonly position: number;
  readonly byteLength: number;
}

/** What a torch file holds, independent of its container. */
export interface TorchContents {
  readonly file: CheckpointFile;
  /** What was given to `torch.save`. */
  readonly saved: PickleValue;
  /** Storage key → place. */
  readonly storages: ReadonlyMap<string, StoragePlace>;
}

/** A storage as the pickle names it: `("storage", torch.FloatStorage, key, device, number of elements)`. */
export interface NamedStorage extends StorageType {
  readonly key: string;
  readonly elements: number;
}

/** Null when a persistent id is not that of a storage of a known type. */
export function readStorageId(id: PickleValue): NamedStorage | null {
  const [tag, type, key, , elements] = isKind(id, "tuple") ? id.items : [];
  const name = isKind(type, "global") ? type.name.slice(type.name.lastIndexOf(".") + 1) : "";
  const storageType = Object.hasOwn(STORAGE_TYPES, name) ? STORAGE_TYPES[name] : undefined;
  if (tag !== "storage" || storageType === undefined || typeof key !== "string" || !isSize(elements)) return null;
  return { ...storageType, key, elements };
}

/**
 * The tensors of a file: of a dictionary of tensors, or of the one in it that a training loop saved beside other things.
 * Values that are not tensors are passed over; a model that needs one of them finds it missing.
 */
export function locateTensors(contents: TorchContents): Map<string, LocatedTensor> {
  const { entries } = findStateDict(contents);
  if (entries.size > MAX_TENSORS) {
    throw corrupt(contents.file.name, `it has too many tensors (got ${entries.size}, limit ${MAX_TENSORS})`);
  }
  const located = [...entries].flatMap(([name, value]): [string, LocatedTensor][] => {
    const call = tensorCall(value);
    return call === null ? [] : [[name, locateTensor(contents, name, call)]];
  });
  return new Map(located);
}

/** Names under which training loops keep the weights, best first. */
const NESTED_NAMES = ["state_dict", "model_state_dict", "model", "module", "generator", "weights"];

function findStateDict({ file, saved }: TorchContents): PickleDict {
  if (!isKind(saved, "dict")) throw unsupported(file.name, `it is not a dictionary of tensors; ${SAVE_TENSORS_ALONE}`);
  if (holdsTensors(saved)) return saved;
  const nested = [...saved.entries].flatMap(([name, value]) =>
    isKind(value, "dict") && holdsTensors(value) ? [{ name, dict: value }] : [],
  );
  const named = NESTED_NAMES.flatMap((name) => nested.filter((candidate) => candidate.name === name));
  const chosen = named[0] ?? (nested.length === 1 ? nested[0] : undefined);
  if (chosen !== undefined) return chosen.dict;
  if (nested.length === 0 && saved.entries.size === 0) return saved;
  const found = nested.length === 0 ? "none" : nested.map(({ name }) => quote(name)).join(", ");
  throw unsupported(file.name, `its dictionary of tensors was not found (got ${found}); ${SAVE_TENSORS_ALONE}`);
}

function holdsTensors({ entries }: PickleDict): boolean {
  return [...entries.values()].some((value) => tensorCall(value) !== null);
}

/** The call that makes a tensor, out of its parameter where it is one; null for any other value. */
function tensorCall(value: PickleValue | undefined): PickleCall | null {
  if (!isKind(value, "call") || !value.callee.startsWith("torch._utils._rebuild_")) return null;
  return REBUILD_PARAMETERS.includes(value.callee) ? tensorCall(value.args.items[0]) : value;
}

function locateTensor(contents: TorchContents, name: string, { callee, args }: PickleCall): LocatedTensor {
  const { file } = contents;
  if (name.length > MAX_TENSOR_NAME_LENGTH) {
    throw corrupt(file.name, `a tensor's name is too long (got ${name.length}, limit ${MAX_TENSOR_NAME_LENGTH})`);
  }
  const isUntyped = callee === REBUILD_UNTYPED;
  // Quantized, sparse and other tensors are of no use here. Where one is needed, its name stands for its type.
  if (!isUntyped && !REBUILD_TENSORS.includes(callee)) return unreadable(file, name, callee);
  // (storage, storage offset, size, stride, …)
  const [reference, offset, size, stride, , , type] = args.items;
  const storage = findStorage(contents, name, reference);
  const shape = readSizes(size);
  const strides = readSizes(stride);
  if (shape === null || strides === null || shape.length !== strides.length || !isSize(offset)) {
    throw corrupt(file.name, `tensor ${quote(name)} has no sound shape`);
  }
  if (isUntyped) return unreadable(file, name, isKind(type, "global") ? type.name : storage.dtype);
  checkPlacement(file, name, { offset, shape, strides, storageElements: storage.elements });
  return {
    name,
    dtype: storage.dtype,
    shape,
    byteLength: countElements(shape) * storage.bytes,
    file,
    position: storage.position + offset * storage.bytes,
    strides: isContiguous(shape, strides) ? null : strides,
  };
}

function unreadable(file: CheckpointFile, name: string, dtype: string): LocatedTensor {
  return { name, dtype, shape: [], byteLength: 0, file, position: 0, strides: null };
}

function findStorage(
  { file, storages }: TorchContents,
  name: string,
  reference: PickleValue | undefined,
): NamedStorage & StoragePlace {
  const storage = readStorageId(isKind(reference, "reference") ? reference.id : EMPTY_TUPLE);
  if (storage === null) throw corrupt(file.name, `tensor ${quote(name)} has no sound storage`);
  const place = storages.get(storage.key);
  if (place === undefined) {
    throw corrupt(file.name, `the storage of tensor ${quote(name)} is missing (got ${quote(storage.key)})`);
  }
  const byteLength = storage.elements * storage.bytes;
  if (place.byteLength !== byteLength) {
    const sizes = `got ${place.byteLength} bytes, expected ${byteLength}`;
    throw corrupt(file.name, `the storage of tensor ${quote(name)} has another size than it claims (${sizes})`);
  }
  return { ...storage, ...place };
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
