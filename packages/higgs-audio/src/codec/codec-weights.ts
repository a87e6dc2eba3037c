import { BoundedTasks, throwIfCancelled } from "@higgs-worker/base";
import { type Backend, type Tensor, TensorArena } from "@higgs-worker/ggml";
import type { CodecConfig } from "../checkpoint/codec-config.ts";

/** What the codec needs of an open checkpoint: `openCodec()` gives one, `randomCodec()` another. */
export interface CodecSource {
  readonly config: CodecConfig;
  /** Facts about a tensor by its canonical (native) name; the shape is in PyTorch order. */
  tensor(name: string): { readonly shape: readonly number[] };
  /** The whole tensor in f32, row-major in PyTorch order, weight norm fused. */
  readF32(name: string): Promise<Float32Array>;
}

/** Longest part of a checkpoint's name that fits ggml's limit on names beside the running number. */
const NAME_TAIL_LENGTH = 50;
/** Tensors that are read side by side; each takes its memory in the host once more. */
const MAX_PARALLEL_READS = 8;

/**
 * Weights of one part of the codec in f32 on a backend. Layers define their tensors first, then `load` allocates one
 * buffer and fills it tensor by tensor, so that loading needs little more than the weights themselves.
 */
export class CodecWeights implements Disposable {
  readonly source: CodecSource;
  readonly #arena: TensorArena;
  readonly #reads: { readonly tensor: Tensor; readonly read: () => Promise<Float32Array> }[] = [];

  constructor(backend: Backend, source: CodecSource, options: { maxTensors: number }) {
    this.source = source;
    this.#arena = new TensorArena(backend.ggml, options);
  }

  get config(): CodecConfig {
    return this.source.config;
  }

  get byteLength(): number {
    return this.#arena.byteLength;
  }

  /** Shape in the checkpoint, in PyTorch order. */
  shapeOf(name: string): readonly number[] {
    return this.source.tensor(name).shape;
  }

  /** A tensor with the checkpoint's own memory order: PyTorch's [a, b, c] is ggml's [c, b, a]. */
  define(name: string): Tensor {
    return this.derive(name, this.shapeOf(name).toReversed(), () => this.source.readF32(name));
  }

  /** A vector of the checkpoint as [1, n], to be repeated along the time of [time, n]. */
  defineColumn(name: string): Tensor {
    const count = this.shapeOf(name).reduce((product, size) => product * size, 1);
    return this.derive(name, [1, count], () => this.source.readF32(name));
  }

  /** A tensor of `dimensions` (ggml's order) whose values are made while loading. */
  derive(label: string, dimensions: readonly number[], read: () => Promise<Float32Array>): Tensor {
    const name = `${this.#reads.length}.${label.slice(-NAME_TAIL_LENGTH)}`;
    const tensor = this.#arena.define(name, "f32", ...dimensions);
    this.#reads.push({ tensor, read });
    return tensor;
  }

  /**
   * Allocates and reads everything.
   *
   * @throws {GgmlError} `allocation-failed` when memory is too small
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws what the checkpoint throws
   */
  async load(backend: Backend, options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    this.#arena.allocate(backend, "weights");
    const tasks = new BoundedTasks(MAX_PARALLEL_READS);
    try {
      for (const { tensor, read } of this.#reads) {
        throwIfCancelled(options.signal, "load the audio tokenizer");
        await tasks.start(async () => tensor.set(await read()));
      }
      await tasks.finish();
    } finally {
      await tasks.settle();
    }
  }

  [Symbol.dispose](): void {
    this.#arena[Symbol.dispose]();
  }
}
