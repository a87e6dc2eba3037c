import type { CheckpointLayout } from "./lm-config.ts";
import type { CheckpointOrigin } from "./detect-revision.ts";
import type { CheckpointTensor } from "./tensor-plan.ts";
import { TensorReader, type F32RowChunk, type RowChunk, type StreamOptions } from "./tensor-reader.ts";
import type { SourceFile, TensorSource } from "./tensor-source.ts";

interface CheckpointParts<TConfig> {
  readonly directory: string;
  readonly config: TConfig;
  readonly origin: CheckpointOrigin;
  readonly sourceHash: string;
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly optionalTensors: ReadonlyMap<string, CheckpointTensor>;
}

/**
 * An open checkpoint: its configuration, and every tensor of the model by its canonical name, independent of layout,
 * container, splits and weight norm. Tensors are read when asked for. Disposing closes the files.
 */
export class Checkpoint<TConfig extends { readonly layout: CheckpointLayout }> implements AsyncDisposable {
  readonly directory: string;
  readonly config: TConfig;
  readonly origin: CheckpointOrigin;
  /** Weight files, in order of their names. */
  readonly files: readonly SourceFile[];
  /**
   * SHA-256 in hexadecimal over the configuration, what the files say about their tensors, and the files' sizes and times
   * of change. It tells two checkpoints apart without reading the weights; `hashCheckpointFiles` reads them all.
   */
  readonly sourceHash: string;
  /** The tensors that the model needs, all of them present, in the model's order. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** Tensors that are there but not needed (the text head). They can be read by name like the others. */
  readonly optionalTensors: ReadonlyMap<string, CheckpointTensor>;
  readonly #source: TensorSource;
  readonly #reader: TensorReader;

  constructor(source: TensorSource, parts: CheckpointParts<TConfig>) {
    this.directory = parts.directory;
    this.config = parts.config;
    this.origin = parts.origin;
    this.files = source.files;
    this.sourceHash = parts.sourceHash;
    this.tensors = parts.tensors;
    this.optionalTensors = parts.optionalTensors;
    this.#source = source;
    this.#reader = new TensorReader(source);
  }

  get layout(): CheckpointLayout {
    return this.config.layout;
  }

  /**
   * Facts about a tensor, by its canonical name.
   *
   * @throws {RangeError} when the model has no tensor with that name
   */
  tensor(name: string): CheckpointTensor {
    const tensor = this.tensors.get(name) ?? this.optionalTensors.get(name);
    if (tensor === undefined)
      throw new RangeError(`Cannot find tensor ${name}: the model has no tensor with that name`);
    return tensor;
  }

  /** The whole tensor in f32, row-major in PyTorch order. */
  readF32(name: string): Promise<Float32Array> {
    return this.#reader.readF32(this.tensor(name));
  }

  /** Rows in order in the tensor's own type, in chunks of at most 16 MiB (or `chunkBytes`); each chunk reuses the memory of the one before. */
  streamRows(name: string, options: StreamOptions = {}): AsyncGenerator<RowChunk, void, undefined> {
    return this.#reader.streamRows(this.tensor(name), options);
  }

  /** Rows in order in f32, in chunks of at most 16 MiB of the file (or `chunkBytes`); each chunk reuses the memory of the one before. */
  streamRowsF32(name: string, options: StreamOptions = {}): AsyncGenerator<F32RowChunk, void, undefined> {
    return this.#reader.streamRowsF32(this.tensor(name), options);
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
