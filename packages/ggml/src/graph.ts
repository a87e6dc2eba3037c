import type { Backend } from "./backend.ts";
import type { Pointer } from "./bindings.ts";
import { GgmlError } from "./errors.ts";
import type { Ggml } from "./ggml.ts";
import { GraphOperations } from "./graph-operations.ts";
import { Tensor, toShape } from "./tensor.ts";
import { TENSOR_TYPES, type TensorType } from "./types.ts";

/**
 * One computation graph. Five steps, always in this order: build (inputs, operations, `output`), `allocate`, set inputs,
 * `backend.compute`, read outputs. The last three can be repeated without further allocation.
 *
 * Inputs share memory with later intermediates once they are consumed, so set every input before every computation. What
 * must persist belongs in a TensorArena.
 */
export class Graph extends GraphOperations implements Disposable {
  readonly #ggml: Ggml;
  readonly #graph: Pointer;
  readonly #maxNodes: number;
  #context: Pointer | null;
  #allocator: Pointer | null = null;
  #isAllocated = false;

  constructor(ggml: Ggml, options: { maxNodes: number }) {
    const { native } = ggml;
    // Views and leaves are tensors too, hence twice the nodes.
    const bytes = native.tensorOverhead() * options.maxNodes * 2 + native.graphOverhead(options.maxNodes, false);
    const context = native.init({ mem_size: bytes, mem_buffer: null, no_alloc: true });
    if (context === null) {
      throw new GgmlError("allocation-failed", "make a graph", `no memory for metadata (got ${bytes} bytes)`);
    }
    super(native, context);
    this.#ggml = ggml;
    this.#context = context;
    this.#maxNodes = options.maxNodes;
    this.#graph = native.newGraph(context, options.maxNodes, false);
  }

  /** Defines an input of one to four dimensions, fastest first. */
  input(name: string, type: TensorType, ...dimensions: readonly number[]): Tensor {
    const shape = toShape(dimensions);
    const pointer = this.native.newTensor4d(this.context, TENSOR_TYPES[type].id, ...shape);
    this.native.setName(pointer, name);
    this.native.setInput(pointer);
    return new Tensor(this.native, pointer, type, shape);
  }

  /** A tensor for parts of a result, to be filled with `copy`; it has no values before. */
  blank(type: TensorType, ...dimensions: readonly number[]): Tensor {
    const shape = toShape(dimensions);
    return new Tensor(this.native, this.native.newTensor4d(this.context, TENSOR_TYPES[type].id, ...shape), type, shape);
  }

  /** Marks a result that is read after the computation, and adds all that it needs to the graph. */
  output(tensor: Tensor, name?: string): Tensor {
    if (name !== undefined) this.native.setName(tensor.pointer, name);
    this.native.setOutput(tensor.pointer);
    return this.require(tensor);
  }

  /** Adds a tensor, and all that it needs, to the graph now; for side effects such as a cache write. */
  require(tensor: Tensor): Tensor {
    this.native.buildForwardExpand(this.#graph, tensor.pointer);
    return tensor;
  }

  get nodeCount(): number {
    return this.native.graphNodeCount(this.#graph);
  }

  /** Bytes of scratch memory that the graph holds once it is allocated. */
  get scratchBytes(): number {
    return this.#allocator === null ? 0 : this.native.gallocrBufferSize(this.#allocator, 0);
  }

  /**
   * Plans and allocates all intermediates on the backend. A graph that `isRepeated`, which is computed many times and takes its inputs
   * from arenas only, is prepared so that a device knows it again.
   *
   * @throws {GgmlError} `allocation-failed` when memory is too small
   */
  allocate(backend: Backend, { isRepeated = false }: { isRepeated?: boolean } = {}): void {
    this.#live();
    if (isRepeated) backend.prepareRepeated({ graph: this.#graph, maxNodes: this.#maxNodes });
    const allocator = this.native.gallocrNew(backend.bufferType);
    if (allocator === null || !this.native.gallocrAllocGraph(allocator, this.#graph)) {
      if (allocator !== null) this.native.gallocrFree(allocator);
      throw new GgmlError(
        "allocation-failed",
        `allocate a graph of ${this.nodeCount} nodes on ${backend.name}`,
        "too little memory",
      );
    }
    this.#allocator = allocator;
    this.#isAllocated = true;
  }

  /** The native graph, once allocated; for Backend only. */
  get allocatedPointer(): Pointer {
    this.#live();
    if (!this.#isAllocated) throw new GgmlError("compute-failed", "compute a graph", "it is not allocated");
    return this.#graph;
  }

  [Symbol.dispose](): void {
    if (this.#allocator !== null) this.native.gallocrFree(this.#allocator);
    if (this.#context !== null) this.#ggml.native.free(this.#context);
    this.#allocator = null;
    this.#context = null;
    this.#isAllocated = false;
  }

  #live(): void {
    if (this.#context === null) throw new GgmlError("disposed", "use the graph", "it is disposed");
  }
}
