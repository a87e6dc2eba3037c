import { clip, corrupt, quote } from "./checkpoint-error.ts";
import { CheckpointFile } from "./checkpoint-file.ts";
import { FileTensorSource, hashStructure, type LocatedTensor } from "./file-tensor-source.ts";
import { MAX_HEADER_BYTES, MAX_TENSOR_DIMS, MAX_TENSOR_NAME_LENGTH, MAX_TENSORS } from "./limits.ts";
import { isJsonObject, parseJsonObject, type JsonObject } from "./strict-json.ts";
import { countElements, DTYPE_BYTES, formatShape, isKnownDtype, type TensorSource } from "./tensor-source.ts";

const LENGTH_BYTES = 8;
const METADATA_KEY = "__metadata__";

/**
 * Opens one safetensors file: 8 bytes little-endian header length, JSON header `{name: {dtype, shape, data_offsets}}`, data.
 * Only the header is read.
 *
 * @throws {HiggsError} MODEL_CORRUPT for anything that the format does not allow, holes included
 */
export async function openSafetensors(path: string): Promise<TensorSource> {
  const file = await CheckpointFile.open(path);
  try {
    const located = await locateSafetensors(file);
    return new FileTensorSource([file], located, hashStructure(located.values()));
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Reads and checks the header of an open safetensors file. */
export async function locateSafetensors(file: CheckpointFile): Promise<Map<string, LocatedTensor>> {
  const headerBytes = await readHeaderLength(file);
  const header = parseJsonObject(await file.read(LENGTH_BYTES, headerBytes), file.name);
  const dataStart = LENGTH_BYTES + headerBytes;
  const names = Object.keys(header).filter((name) => name !== METADATA_KEY);
  if (names.length > MAX_TENSORS) {
    throw corrupt(file.name, `it has too many tensors (got ${names.length}, limit ${MAX_TENSORS})`);
  }
  const located = new Map(names.map((name) => [name, locateTensor(file, dataStart, name, header[name])]));
  checkMetadata(file, header);
  checkCoverage(file, dataStart, [...located.values()]);
  return located;
}

async function readHeaderLength(file: CheckpointFile): Promise<number> {
  if (file.sizeBytes < LENGTH_BYTES) throw corrupt(file.name, `it is too short (got ${file.sizeBytes} bytes)`);
  const prefix = await file.read(0, LENGTH_BYTES);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length === 0n) throw corrupt(file.name, "its header is empty");
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw corrupt(file.name, `its header is too long (got ${length} bytes, limit ${MAX_HEADER_BYTES})`);
  }
  if (length > BigInt(file.sizeBytes - LENGTH_BYTES)) {
    throw corrupt(file.name, `its header is longer than the file (got ${length} of ${file.sizeBytes} bytes)`);
  }
  return Number(length);
}

function checkMetadata(file: CheckpointFile, header: JsonObject): void {
  const metadata = header[METADATA_KEY];
  if (metadata === undefined) return;
  const isStringMap = isJsonObject(metadata) && Object.values(metadata).every((value) => typeof value === "string");
  if (!isStringMap) throw corrupt(file.name, `${METADATA_KEY} is not a map of strings`);
}

function locateTensor(file: CheckpointFile, dataStart: number, name: string, entry: unknown): LocatedTensor {
  if (name.length > MAX_TENSOR_NAME_LENGTH) {
    throw corrupt(file.name, `a tensor's name is too long (got ${name.length}, limit ${MAX_TENSOR_NAME_LENGTH})`);
  }
  if (!isJsonObject(entry)) throw corrupt(file.name, `the entry of tensor ${quote(name)} is not an object`);
  const dtype = parseDtype(file, name, entry["dtype"]);
  const shape = parseShape(file, name, entry["shape"]);
  const [begin, end] = parseOffsets(file, name, entry["data_offsets"], file.sizeBytes - dataStart);
  // The size of an element type that is not known cannot be checked; nothing reads such a tensor.
  const byteLength = isKnownDtype(dtype) ? countElements(shape) * DTYPE_BYTES[dtype] : end - begin;
  if (end - begin !== byteLength) {
    const sizes = `got ${end - begin} bytes for ${dtype} ${formatShape(shape)}, expected ${byteLength}`;
    throw corrupt(file.name, `the size of tensor ${quote(name)} does not fit its shape (${sizes})`);
  }
  return { name, dtype, shape, byteLength, file, position: dataStart + begin, strides: null };
}

function parseDtype(file: CheckpointFile, name: string, dtype: unknown): string {
  if (typeof dtype !== "string") throw corrupt(file.name, `tensor ${quote(name)} has no element type`);
  return clip(dtype);
}

function parseShape(file: CheckpointFile, name: string, shape: unknown): readonly number[] {
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw corrupt(file.name, `the shape of tensor ${quote(name)} is not a list of sizes`);
  }
  if (shape.length > MAX_TENSOR_DIMS) {
    throw corrupt(file.name, `tensor ${quote(name)} has too many axes (got ${shape.length}, limit ${MAX_TENSOR_DIMS})`);
  }
  if (!isAddressable(shape)) throw corrupt(file.name, `the shape of tensor ${quote(name)} overflows`);
  return Object.freeze([...shape]);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** False when the number of elements, or of bytes in the widest type, is no longer an exact integer. */
function isAddressable(shape: readonly number[]): boolean {
  return countElements(shape.filter((size) => size > 0)) * 8 <= Number.MAX_SAFE_INTEGER;
}

function parseOffsets(file: CheckpointFile, name: string, offsets: unknown, dataBytes: number): [number, number] {
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw corrupt(file.name, `the offsets of tensor ${quote(name)} are not two positions`);
  }
  const [begin = 0, end = 0] = offsets;
  if (begin > end)
    throw corrupt(file.name, `the offsets of tensor ${quote(name)} run backwards (got ${begin} to ${end})`);
  if (end > dataBytes) {
    throw corrupt(file.name, `tensor ${quote(name)} lies outside the file (got offset ${end}, limit ${dataBytes})`);
  }
  return [begin, end];
}

/** The format demands that the tensors fill the data without holes, so that nothing can hide in a file. */
function checkCoverage(file: CheckpointFile, dataStart: number, tensors: LocatedTensor[]): void {
  tensors.sort((a, b) => a.position - b.position || a.byteLength - b.byteLength);
  let expected = dataStart;
  for (const tensor of tensors) {
    if (tensor.position < expected) throw corrupt(file.name, `tensor ${quote(tensor.name)} overlaps another one`);
    if (tensor.position > expected) throw corrupt(file.name, `there is a hole before tensor ${quote(tensor.name)}`);
    expected += tensor.byteLength;
  }
  if (expected !== file.sizeBytes) {
    throw corrupt(file.name, `it has bytes after its last tensor (got ${file.sizeBytes} bytes, expected ${expected})`);
  }
}
