import type { Backend } from "./backend.ts";
import type { Bindings, Pointer } from "./bindings.ts";

/**
 * Memory for the intermediates of graphs that are computed one after the other. It grows to what the largest of them needs, and is not
 * zeroed and mapped anew for each. A graph loses its memory when the next one is allocated.
 */
export class Scratch implements Disposable {
  readonly #native: Bindings;
  readonly #backend: Backend;
  #allocator: Pointer | null = null;
  #owner: Pointer | null = null;

  constructor(backend: Backend) {
    this.#native = backend.ggml.native;
    this.#backend = backend;
  }

  get byteLength(): number {
    return this.#allocator === null ? 0 : this.#native.gallocrBufferSize(this.#allocator, 0);
  }

  /** Gives the memory to a graph; for Graph only. Whether it is enough. */
  allocate(graph: Pointer): boolean {
    this.#owner = null;
    this.#allocator ??= this.#native.gallocrNew(this.#backend.bufferType);
    if (this.#allocator === null || !this.#native.gallocrAllocGraph(this.#allocator, graph)) return false;
    this.#owner = graph;
    return true;
  }

  /** Whether the memory is this graph's. */
  isOf(graph: Pointer): boolean {
    return this.#owner === graph;
  }

  [Symbol.dispose](): void {
    if (this.#allocator !== null) this.#native.gallocrFree(this.#allocator);
    this.#allocator = null;
    this.#owner = null;
  }
}
