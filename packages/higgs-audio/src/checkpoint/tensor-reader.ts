import { throwIfCancelled } from "@higgs-worker/base";
import { convertToF32, isFloatDtype, type FloatDtype } from "./convert-dtype.ts";
import { DEFAULT_CHUNK_BYTES } from "./limits.ts";
import type { CheckpointTensor } from "./tensor-plan.ts";
import { countElements, DTYPE_BYTES, type TensorInfo, type TensorSource } from "./tensor-source.ts";
import { fuseWeightNorm } from "./weight-norm.ts";
import { ZeroScan } from "./zero-scan.ts";

/** Whole rows of a tensor in its own type. `bytes` is reused: it is valid until the next chunk is asked for. */
export interface RowChunk {
  readonly firstRow: number;
  readonly rowCount: number;
  readonly bytes: Uint8Array;
}

/** Whole rows of a tensor in f32. `values` is reused: it is valid until the next chunk is asked for. */
export interface F32RowChunk {
  readonly firstRow: number;
  readonly rowCount: number;
  readonly values: Float32Array;
}

export interface StreamOptions {
  /** Largest size of one chunk in bytes of the file (at least one row is always given). */
  readonly chunkBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads tensors of the model out of the files and refuses zero-filled ones (MODEL_CORRUPT): parts are joined, weight norm is fused, types are converted. Memory is
 * two chunks (three when they are converted), except for weight-norm tensors, which are fused whole.
 */
export class TensorReader {
  readonly #source: TensorSource;

  constructor(source: TensorSource) {
    this.#source = source;
  }

  /** The whole tensor in f32. */
  async readF32(tensor: CheckpointTensor): Promise<Float32Array> {
    if (tensor.recipe.kind === "weight-norm") return this.#fuse(tensor);
    const values = new Float32Array(tensor.elementCount);
    for await (const chunk of this.streamRowsF32(tensor)) values.set(chunk.values, chunk.firstRow * tensor.rowLength);
    return values;
  }

  /** Rows in order, in the tensor's own type, in chunks of bounded size. */
  async *streamRows(tensor: CheckpointTensor, options: StreamOptions = {}): AsyncGenerator<RowChunk, void, undefined> {
    const { recipe, dtype } = tensor;
    if (recipe.kind === "rows" && recipe.parts.every((part) => part.dtype === dtype)) {
      yield* this.#streamParts(recipe.parts, tensor.rowLength, options);
      return;
    }
    for await (const { firstRow, rowCount, values } of this.streamRowsF32(tensor, options)) {
      yield { firstRow, rowCount, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
    }
  }

  /** Rows in order, converted to f32, in chunks of bounded size. */
  async *streamRowsF32(
    tensor: CheckpointTensor,
    options: StreamOptions = {},
  ): AsyncGenerator<F32RowChunk, void, undefined> {
    const { recipe, rowLength } = tensor;
    if (recipe.kind === "weight-norm") {
      yield* sliceRows(await this.#fuse(tensor), tensor, options);
      return;
    }
    let scratch = new Float32Array(0);
    let firstRow = 0;
    for (const part of recipe.parts) {
      const dtype = floatDtypeOf(part);
      for await (const { rowCount, bytes } of this.#streamParts([part], rowLength, options)) {
        const length = rowCount * rowLength;
        if (scratch.length < length) scratch = new Float32Array(length);
        const values = scratch.subarray(0, length);
        convertToF32(dtype, bytes, values);
        yield { firstRow, rowCount, values };
        firstRow += rowCount;
      }
    }
  }

  /** Reads one chunk ahead, so that the file and the consumer work at the same time. */
  async *#streamParts(
    parts: readonly TensorInfo[],
    rowLength: number,
    options: StreamOptions,
  ): AsyncGenerator<RowChunk, void, undefined> {
    const { chunkBytes = DEFAULT_CHUNK_BYTES, signal } = options;
    const places = listChunks(parts, rowLength, chunkBytes);
    const buffers: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)];
    let ahead = this.#startRead(places, buffers);
    let scan: ZeroScan | null = null;
    try {
      while (ahead !== null) {
        throwIfCancelled(signal, "read the checkpoint");
        await ahead.done;
        const { part, isFirst, isLast, firstRow, rowCount, bytes } = ahead;
        ahead = this.#startRead(places, buffers);
        if (isFirst || scan === null) scan = new ZeroScan(part);
        scan.add(bytes);
        if (isLast) scan.finish();
        yield { firstRow, rowCount, bytes };
      }
    } finally {
      await ahead?.done.catch(() => undefined);
    }
  }

  /** Starts to read the next chunk into the buffer that was used the time before last; null at the end. */
  #startRead(places: Iterator<ChunkPlace>, buffers: [Uint8Array, Uint8Array]): PendingChunk | null {
    const next = places.next();
    if (next.done === true) return null;
    const { part, byteOffset, byteLength, firstRow, rowCount } = next.value;
    const isFirst = byteOffset === 0;
    const isLast = byteOffset + byteLength === part.byteLength;
    buffers.reverse();
    if (buffers[0].length < byteLength) buffers[0] = new Uint8Array(byteLength);
    const bytes = buffers[0].subarray(0, byteLength);
    const done = this.#source.readInto(part.name, bytes, byteOffset);
    // The failure is thrown where it is awaited, which a consumer that stops early never does.
    done.catch(() => undefined);
    return { part, isFirst, isLast, firstRow, rowCount, bytes, done };
  }

  async #fuse(tensor: CheckpointTensor): Promise<Float32Array> {
    const { recipe } = tensor;
    if (recipe.kind !== "weight-norm") throw new RangeError(`Cannot fuse ${tensor.name}: it has no weight norm`);
    const v = await this.#readPart(recipe.direction);
    const g = await this.#readPart(recipe.magnitude);
    return fuseWeightNorm(v, g, tensor.shape, recipe.axis);
  }

  async #readPart(part: TensorInfo): Promise<Float32Array> {
    const values = new Float32Array(countElements(part.shape));
    const dtype = floatDtypeOf(part);
    const bytes = dtype === "F32" ? new Uint8Array(values.buffer) : new Uint8Array(part.byteLength);
    await this.#source.readInto(part.name, bytes);
    const scan = new ZeroScan(part);
    scan.add(bytes);
    scan.finish();
    if (dtype !== "F32") convertToF32(dtype, bytes, values);
    return values;
  }
}

/** Where a chunk lies in its part. */
interface ChunkPlace {
  readonly part: TensorInfo;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly firstRow: number;
  readonly rowCount: number;
}

interface PendingChunk extends RowChunk {
  readonly part: TensorInfo;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly done: Promise<void>;
}

function* listChunks(
  parts: readonly TensorInfo[],
  rowLength: number,
  chunkBytes: number,
): Generator<ChunkPlace, void, undefined> {
  let firstRow = 0;
  for (const part of parts) {
    const rowBytes = rowLength * DTYPE_BYTES[floatDtypeOf(part)];
    const rowsPerChunk = Math.max(1, Math.floor(chunkBytes / Math.max(1, rowBytes)));
    const partRows = rowBytes === 0 ? 0 : part.byteLength / rowBytes;
    for (let row = 0; row < partRows; row += rowsPerChunk) {
      const rowCount = Math.min(rowsPerChunk, partRows - row);
      yield { part, byteOffset: row * rowBytes, byteLength: rowCount * rowBytes, firstRow, rowCount };
      firstRow += rowCount;
    }
  }
}

function* sliceRows(
  values: Float32Array,
  tensor: CheckpointTensor,
  options: StreamOptions,
): Generator<F32RowChunk, void, undefined> {
  const { rowLength, rowCount } = tensor;
  const { chunkBytes = DEFAULT_CHUNK_BYTES, signal } = options;
  const rowsPerChunk = Math.max(1, Math.floor(chunkBytes / Math.max(1, rowLength * DTYPE_BYTES.F32)));
  for (let firstRow = 0; firstRow < rowCount; firstRow += rowsPerChunk) {
    throwIfCancelled(signal, "read the checkpoint");
    const rows = Math.min(rowsPerChunk, rowCount - firstRow);
    yield { firstRow, rowCount: rows, values: values.subarray(firstRow * rowLength, (firstRow + rows) * rowLength) };
  }
}

function floatDtypeOf(part: TensorInfo): FloatDtype {
  if (!isFloatDtype(part.dtype)) throw new RangeError(`Cannot convert ${part.name}: ${part.dtype} is not a float type`);
  return part.dtype;
}
