import type { Backend } from "./backend.ts";
import type { Pointer } from "./bindings.ts";
import { GgmlError } from "./errors.ts";
import type { Ggml } from "./ggml.ts";
import { adviseHugePages } from "./huge-pages.ts";
import { Tensor, toShape } from "./tensor.ts";
import { BUFFER_USAGE, MAX_NAME_BYTES, TENSOR_TYPES, type TensorType } from "./types.ts";

/**
 * Long-lived tensors: weights and caches. First define all of them, then `allocate` one backend buffer for all.
 * Disposing frees buffer and metadata together; handles are invalid from then on.
 */
export class TensorArena implements Disposable {
  readonly #ggml: Ggml;
  readonly #capacity: number;
  readonly #tensors = new Map<string, Tensor>();
  #context: Pointer | null;
  #buffer: Pointer | null = null;

  constructor(ggml: Ggml, options: { maxTensors: number }) {
    this.#ggml = ggml;
    this.#capacity = options.maxTensors;
    const bytes = ggml.native.tensorOverhead() * options.maxTensors;
    this.#context = ggml.native.init({ mem_size: bytes, mem_buffer: null, no_alloc: true });
    if (this.#context === null) {
      throw new GgmlError("allocation-failed", "make a tensor arena", `no memory for metadata (got ${bytes} bytes)`);
    }
  }

  /** Defines a tensor of one to four dimensions, fastest first. Names are unique and at most 63 bytes. */
  define(name: string, type: TensorType, ...dimensions: readonly number[]): Tensor {
    const context = this.#live();
    const shape = toShape(dimensions);
    if (this.#buffer !== null) {
      throw new GgmlError("disposed", `define tensor ${name}`, "the arena is allocated already");
    }
    if (this.#tensors.size >= this.#capacity) {
      throw new GgmlError("allocation-failed", `define tensor ${name}`, `the arena is full (limit ${this.#capacity})`);
    }
    if (this.#tensors.has(name) || Buffer.byteLength(name) >= MAX_NAME_BYTES) {
      throw new GgmlError("shape-mismatch", `define tensor ${name}`, "the name is taken or longer than 63 bytes");
    }
    const { id, blockSize } = TENSOR_TYPES[type];
    const isValid = shape.every((size) => Number.isSafeInteger(size) && size > 0) && shape[0] % blockSize === 0;
    if (!isValid) {
      throw new GgmlError(
        "shape-mismatch",
        `define tensor ${name}`,
        `shape [${shape.join(", ")}] is not possible as ${type}`,
      );
    }
    const pointer = this.#ggml.native.newTensor4d(context, id, ...shape);
    this.#ggml.native.setName(pointer, name);
    const tensor = new Tensor(this.#ggml.native, pointer, type, shape);
    this.#tensors.set(name, tensor);
    return tensor;
  }

  /**
   * Allocates all defined tensors in one buffer of the backend. In the host's memory a large one lies on huge pages, where the
   * kernel has them.
   *
   * @param usage `repacked`: weights, each of which `canRepack` must have agreed to
   * @throws {GgmlError} `allocation-failed` when memory is too small
   */
  allocate(backend: Backend, usage: "weights" | "repacked" | "any" = "any"): void {
    const context = this.#live();
    const { native } = this.#ggml;
    const type = usage === "repacked" ? backend.repackedBufferType : backend.bufferType;
    const bytes = [...this.#tensors.values()].reduce((sum, tensor) => sum + tensor.byteLength, 0);
    const buffer = type === null ? null : native.allocCtxTensors(context, type);
    if (buffer === null) {
      throw new GgmlError(
        "allocation-failed",
        `allocate tensors on ${backend.name}`,
        `too little memory (got ${bytes} bytes, free ${backend.device.memoryFreeBytes})`,
      );
    }
    native.bufferSetUsage(buffer, BUFFER_USAGE[usage === "any" ? "any" : "weights"]);
    this.#buffer = buffer;
    if (usage === "repacked") for (const tensor of this.#tensors.values()) tensor.markRepacked();
    const base = backend.device.kind === "cpu" ? native.bufferBase(buffer) : null;
    if (base !== null) adviseHugePages(native, base, native.bufferSize(buffer));
  }

  get byteLength(): number {
    return this.#buffer === null ? 0 : this.#ggml.native.bufferSize(this.#buffer);
  }

  /** Whether tensor data can be seen from the host, so that files can be read straight into it. */
  get isHost(): boolean {
    return this.#buffer !== null && this.#ggml.native.bufferIsHost(this.#buffer);
  }

  /** Sets every byte of the buffer. */
  clear(value = 0): void {
    if (this.#buffer !== null) this.#ggml.native.bufferClear(this.#buffer, value);
  }

  /**
   * A tensor's own memory, without a copy; null when it is not the host's. The view must not be used after the arena is disposed.
   *
   * @throws {GgmlError} `shape-mismatch` when it is not defined
   */
  hostBytes(name: string): Uint8Array | null {
    this.#live();
    const { pointer, byteLength } = this.tensor(name);
    const address = this.isHost ? this.#ggml.native.getData(pointer) : null;
    return address === null ? null : this.#ggml.native.view(address, byteLength);
  }

  /**
   * The tensor with that name.
   *
   * @throws {GgmlError} `shape-mismatch` when it is not defined
   */
  tensor(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new GgmlError("shape-mismatch", `use tensor ${name}`, "it is not defined");
    return tensor;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  tensors(): IterableIterator<[string, Tensor]> {
    return this.#tensors.entries();
  }

  [Symbol.dispose](): void {
    if (this.#buffer !== null) this.#ggml.native.bufferFree(this.#buffer);
    if (this.#context !== null) this.#ggml.native.free(this.#context);
    this.#buffer = null;
    this.#context = null;
    this.#tensors.clear();
  }

  #live(): Pointer {
    if (this.#context === null) throw new GgmlError("disposed", "use the tensor arena", "it is disposed");
    return this.#context;
  }
}
