import type { Pointer } from "./bindings.ts";
import { GgmlError } from "./errors.ts";
import type { Device, Ggml } from "./ggml.ts";
import type { Graph } from "./graph.ts";
import { STATUS } from "./types.ts";

/** A device that is open for computing. Dispose graphs and arenas before it; disposing during a computation throws. */
export class Backend implements Disposable {
  readonly ggml: Ggml;
  readonly device: Device;
  readonly name: string;
  readonly #device: Pointer;
  #pointer: Pointer | null;
  /** Computations that run or wait. */
  #running = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(ggml: Ggml, pointer: Pointer, devicePointer: Pointer, device: Device) {
    this.ggml = ggml;
    this.#pointer = pointer;
    this.#device = devicePointer;
    this.device = device;
    this.name = ggml.native.backendName(pointer);
  }

  /** The native backend; for this package only. */
  get pointer(): Pointer {
    if (this.#pointer === null) throw new GgmlError("disposed", `Cannot use backend ${this.name}: it is disposed`);
    return this.#pointer;
  }

  /** Whether tensors of this backend live in host memory. */
  get isHost(): boolean {
    const { native } = this.ggml;
    return native.buftIsHost(native.backendBufferType(this.pointer));
  }

  /** Sets the number of CPU threads; no effect on devices without threads. */
  setThreads(threads: number): void {
    const { native } = this.ggml;
    const procedure = native.registryProcAddress(native.deviceRegistry(this.#device), "ggml_backend_set_n_threads");
    if (procedure !== null) native.callSetThreads(procedure, this.pointer, threads);
  }

  /** Computes an allocated graph and waits, blocking this thread. Throws GgmlError `compute-failed`. */
  compute(graph: Graph): void {
    this.#check(this.ggml.native.graphCompute(this.pointer, graph.allocatedPointer));
  }

  /**
   * Computes an allocated graph on another thread, so that the event loop stays free. Calls may overlap: a device computes
   * one graph at a time, in the order of the calls. Rejects with `compute-failed`.
   */
  computeAsync(graph: Graph): Promise<void> {
    const start = () => this.#start(graph);
    const computed = this.#running === 0 ? start() : this.#last.then(start);
    this.#running += 1;
    const ended = computed.finally(() => {
      this.#running -= 1;
    });
    this.#last = ended.catch(() => undefined);
    return ended;
  }

  #start(graph: Graph): Promise<void> {
    return new Promise((resolve, reject) => {
      this.ggml.native.graphCompute.async(this.pointer, graph.allocatedPointer, (error, status) => {
        if (error !== null) return reject(error);
        try {
          this.#check(status);
          resolve();
        } catch (failure) {
          reject(failure);
        }
      });
    });
  }

  [Symbol.dispose](): void {
    if (this.#running > 0) {
      throw new GgmlError("disposed", `Cannot dispose backend ${this.name}: a computation is running`);
    }
    if (this.#pointer !== null) this.ggml.native.backendFree(this.#pointer);
    this.#pointer = null;
  }

  #check(status: number): void {
    if (status === STATUS.success) return;
    const kind = status === STATUS.allocationFailed ? "allocation-failed" : "compute-failed";
    throw new GgmlError(kind, `Cannot compute a graph on ${this.name}: ggml returned status ${status}`);
  }
}
