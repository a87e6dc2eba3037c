import type { FileHandle } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { BoundedTasks, throwIfCancelled } from "@higgs-worker/base";
import { type Ggml, quantizeRowsAsync, rowBytes } from "@higgs-worker/ggml";
import type { LmCheckpoint } from "../open-checkpoint.ts";
import { DTYPE_BYTES } from "../tensor-source.ts";
import type { ConversionPlan, PlannedTensor } from "./conversion-plan.ts";

/** Values quantized in one piece: 4 MiB of f32, a tenth of a second of work in q4_k. */
const CHUNK_VALUES = 1 << 20;
/** Pieces in work at once; with 6 MiB each this bounds the memory of a conversion. */
const MAX_PARALLEL_CHUNKS = 32;

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes of the file written so far, and in all. */
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/**
 * Writes header and tensors of a conversion into an empty file. Each tensor is read in pieces of whole rows; pieces are
 * quantized side by side on Node's thread pool and go to their place in any order.
 */
export async function writeTensors(
  ggml: Ggml,
  checkpoint: LmCheckpoint,
  plan: ConversionPlan,
  file: FileHandle,
  options: WriteOptions,
): Promise<void> {
  const writing = new TensorWriting(ggml, checkpoint, plan, file, options);
  try {
    await writing.writeAll();
  } finally {
    await writing.settle();
  }
}

class TensorWriting {
  readonly #ggml: Ggml;
  readonly #checkpoint: LmCheckpoint;
  readonly #plan: ConversionPlan;
  readonly #file: FileHandle;
  readonly #options: WriteOptions;
  readonly #tasks = new BoundedTasks(Math.min(MAX_PARALLEL_CHUNKS, availableParallelism() + 1));
  /** Buffers that no task uses at the moment. */
  readonly #idle: { source: Float32Array; target: Uint8Array }[] = [];
  #doneBytes = 0;

  constructor(ggml: Ggml, checkpoint: LmCheckpoint, plan: ConversionPlan, file: FileHandle, options: WriteOptions) {
    this.#ggml = ggml;
    this.#checkpoint = checkpoint;
    this.#plan = plan;
    this.#file = file;
    this.#options = options;
  }

  async writeAll(): Promise<void> {
    const { header, tensors, fileBytes } = this.#plan;
    await this.#file.truncate(fileBytes);
    await this.#write(header, 0);
    for (const planned of tensors) await (planned.isCopied ? this.#copy(planned) : this.#quantize(planned));
    await this.#tasks.finish();
    this.#options.onProgress?.(fileBytes, fileBytes);
  }

  settle(): Promise<void> {
    return this.#tasks.settle();
  }

  async #copy({ tensor, position }: PlannedTensor): Promise<void> {
    const rowLengthBytes = tensor.rowLength * DTYPE_BYTES[tensor.dtype];
    for await (const { firstRow, bytes } of this.#checkpoint.streamRows(tensor.name)) {
      await this.#write(bytes, position + firstRow * rowLengthBytes);
    }
  }

  async #quantize({ tensor, type, position }: PlannedTensor): Promise<void> {
    const { rowLength, dtype } = tensor;
    const typeRowBytes = rowBytes(type, rowLength);
    const chunkBytes = CHUNK_VALUES * DTYPE_BYTES[dtype];
    for await (const { firstRow, rowCount, values } of this.#checkpoint.streamRowsF32(tensor.name, { chunkBytes })) {
      if (type === "f32") {
        await this.#write(
          new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
          position + firstRow * typeRowBytes,
        );
        continue;
      }
      await this.#tasks.start(async () => {
        const buffers = this.#takeBuffers(values.length, rowCount * typeRowBytes);
        const source = buffers.source.subarray(0, values.length);
        const target = buffers.target.subarray(0, rowCount * typeRowBytes);
        source.set(values);
        await quantizeRowsAsync(this.#ggml, type, source, target, rowLength);
        await this.#write(target, position + firstRow * typeRowBytes);
        this.#idle.push(buffers);
      });
    }
  }

  /** A pair of buffers of at least these sizes, an idle one when it is large enough. */
  #takeBuffers(valueCount: number, byteLength: number): { source: Float32Array; target: Uint8Array } {
    const idle = this.#idle.pop();
    if (idle !== undefined && idle.source.length >= valueCount && idle.target.length >= byteLength) return idle;
    return { source: new Float32Array(valueCount), target: new Uint8Array(byteLength) };
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    throwIfCancelled(this.#options.signal, "convert the model");
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
    this.#doneBytes += bytes.length;
    this.#options.onProgress?.(this.#doneBytes, this.#plan.fileBytes);
  }
}
