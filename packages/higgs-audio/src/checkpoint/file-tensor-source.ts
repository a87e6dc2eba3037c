import { createHash } from "node:crypto";
import { corrupt, quote, unsupported } from "./checkpoint-error.ts";
import type { CheckpointFile } from "./checkpoint-file.ts";
import { MAX_GATHERED_BYTES } from "./limits.ts";
import { DTYPE_BYTES, isKnownDtype, type SourceFile, type TensorInfo, type TensorSource } from "./tensor-source.ts";

/** A tensor and the place of its bytes. */
export interface LocatedTensor extends TensorInfo {
  readonly file: CheckpointFile;
  /** Byte position of the first element. */
  readonly position: number;
  /** Elements to step over for each axis when the tensor is not contiguous (a transposed or sliced one); else null. */
  readonly strides: readonly number[] | null;
}

/** The one reader behind every container format: each format only says where the bytes are. */
export class FileTensorSource implements TensorSource {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly files: readonly SourceFile[];
  readonly structureHash: string;
  readonly #located: ReadonlyMap<string, LocatedTensor>;
  readonly #open: readonly CheckpointFile[];

  constructor(files: readonly CheckpointFile[], located: ReadonlyMap<string, LocatedTensor>, structureHash: string) {
    this.files = files;
    this.tensors = located;
    this.structureHash = structureHash;
    this.#open = files;
    this.#located = located;
  }

  async readInto(name: string, target: Uint8Array, byteOffset = 0): Promise<void> {
    const tensor = this.#located.get(name);
    if (tensor === undefined) throw new RangeError(`Cannot read tensor ${quote(name)}: it is not in the checkpoint`);
    if (byteOffset < 0 || byteOffset + target.length > tensor.byteLength) {
      const end = byteOffset + target.length;
      throw new RangeError(
        `Cannot read tensor ${quote(name)}: the range is outside (got ${end}, limit ${tensor.byteLength})`,
      );
    }
    if (tensor.strides === null) await tensor.file.readInto(target, tensor.position + byteOffset);
    else await readStrided(tensor, tensor.strides, target, byteOffset);
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map((file) => file.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** SHA-256 over what the files say about their tensors, in order of name; independent of the order in the files. */
export function hashStructure(tensors: Iterable<LocatedTensor>): string {
  const lines = [...tensors].map(({ name, dtype, shape, file, position, strides }) =>
    JSON.stringify([name, dtype, shape, file.name, position, strides]),
  );
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
}

/** Gathers a range of a tensor whose elements do not lie in order. Reads the tensor's whole span, which is limited. */
async function readStrided(
  tensor: LocatedTensor,
  strides: readonly number[],
  target: Uint8Array,
  byteOffset: number,
): Promise<void> {
  if (!isKnownDtype(tensor.dtype))
    throw new RangeError(`Cannot read tensor ${quote(tensor.name)}: its type is unknown`);
  const itemBytes = DTYPE_BYTES[tensor.dtype];
  if (byteOffset % itemBytes !== 0 || target.length % itemBytes !== 0) {
    throw new RangeError(`Cannot read tensor ${quote(tensor.name)}: the range splits an element`);
  }
  if (target.length === 0) return;
  const spanBytes = stridedSpan(tensor.shape, strides) * itemBytes;
  if (spanBytes > MAX_GATHERED_BYTES) {
    const sizes = `got ${spanBytes} bytes, limit ${MAX_GATHERED_BYTES}`;
    throw unsupported(tensor.file.name, `tensor ${quote(tensor.name)} is large and not contiguous (${sizes})`);
  }
  const span = await tensor.file.read(tensor.position, spanBytes);
  const first = byteOffset / itemBytes;
  for (let index = 0; index < target.length / itemBytes; index += 1) {
    const from = stridedIndex(first + index, tensor.shape, strides) * itemBytes;
    target.set(span.subarray(from, from + itemBytes), index * itemBytes);
  }
}

/** Number of storage elements from a tensor's first to its last one, both counted; 0 when an axis is 0. */
export function stridedSpan(shape: readonly number[], strides: readonly number[]): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, size, axis) => span + (size - 1) * (strides[axis] ?? 0), 1);
}

/** Storage offset of the element with this index in row-major order. */
function stridedIndex(index: number, shape: readonly number[], strides: readonly number[]): number {
  let rest = index;
  let offset = 0;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const size = shape[axis] ?? 1;
    offset += (rest % size) * (strides[axis] ?? 0);
    rest = Math.floor(rest / size);
  }
  return offset;
}

/**
 * Sorts `regions` in place.
 *
 * @throws {HiggsError} MODEL_CORRUPT when two tensors of one file share bytes
 */
export function checkNoOverlap(
  fileName: string,
  regions: { readonly name: string; readonly position: number; readonly byteLength: number }[],
): void {
  regions.sort((a, b) => a.position - b.position || a.byteLength - b.byteLength);
  let previous: (typeof regions)[number] | undefined;
  for (const region of regions) {
    if (previous !== undefined && previous.position + previous.byteLength > region.position) {
      throw corrupt(fileName, `${quote(previous.name)} and ${quote(region.name)} overlap`);
    }
    previous = region;
  }
}
