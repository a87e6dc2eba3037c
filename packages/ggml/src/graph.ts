import type { Backend } from "./backend.ts";
import type { Pointer } from "./bindings.ts";
import { GgmlError } from "./errors.ts";
import type { Ggml } from "./ggml.ts";
import { GraphOperations } from "./graph-operations.ts";
import { Scratch } from "./scratch.ts";
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
  /** Host memory for nodes and tensors, whether used or not. */
  readonly descriptionBytes: number;
  readonly #ggml: Ggml;
  readonly #graph: Pointer;
  readonly #maxNodes: number;
  #context: Pointer | null;
  /** Where its intermediates lie. */
  #scratch: Scratch | null = null;
  #own: Scratch | null = null;

  constructor(ggml: Ggml, options: { maxNodes: number }) {
    const { native } = ggml;
    // Views and leaves are tensors too, hence twice the nodes.
    const bytes = native.tensorOverhead() * options.maxNodes * 2 + native.graphOverhead(options.maxNodes, false);
    const context = native.init({ mem_size: bytes, mem_buffer: null, no_alloc: true });
    if (context === null) {
      throw new GgmlError("allocation-failed", "make a graph", `no memory for metadata (got ${bytes} bytes)`);
    }
    super(native, context);
    this.descriptionBytes = bytes;
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

  /** Bytes of scratch memory that the graph holds once it is allocated; of a shared one as many as it has. */
  get scratchBytes(): number {
    return this.#scratch?.byteLength ?? 0;
  }

  /**
   * Plans and allocates all intermediates on the backend, in memory of the graph's own or in `scratch`, which must outlive its use. A graph
   * that `isRepeated`, which is computed many times and takes its inputs from arenas only, is prepared so that a device knows it again.
   *
   * @throws {GgmlError} `allocation-failed` when memory is too small, or the graph was given memory before
   */
  allocate(backend: Backend, options: { isRepeated?: boolean; scratch?: Scratch } = {}): void {
    this.#live();
    // ggml would leave its tensors where they were.
    if (this.#scratch !== null) throw new GgmlError("allocation-failed", "allocate a graph", "it has been before");
    if (options.isRepeated === true) backend.prepareRepeated({ graph: this.#graph, maxNodes: this.#maxNodes });
    if (options.scratch === undefined) this.#own = new Scratch(backend);
    this.#scratch = options.scratch ?? this.#own;
    if (this.#scratch?.allocate(this.#graph) !== true) {
      throw new GgmlError(
        "allocation-failed",
        `allocate a graph of ${this.nodeCount} nodes on ${backend.name}`,
        "too little memory",
      );
    }
  }

  /** The native graph, once allocated; for Backend only. */
  get allocatedPointer(): Pointer {
    this.#live();
    if (this.#scratch === null) throw new GgmlError("compute-failed", "compute a graph", "it is not allocated");
    if (!this.#scratch.isOf(this.#graph)) {
      throw new GgmlError("compute-failed", "compute a graph", "another graph was given its memory");
    }
    return this.#graph;
  }

  [Symbol.dispose](): void {
    this.#own?.[Symbol.dispose]();
    if (this.#context !== null) this.#ggml.native.free(this.#context);
    this.#own = null;
    this.#scratch = null;
    this.#context = null;
  }

  #live(): void {
    if (this.#context === null) throw new GgmlError("disposed", "use the graph", "it is disposed");
  }
}
