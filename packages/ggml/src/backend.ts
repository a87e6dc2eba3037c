import type { Pointer } from "./bindings.ts";
import { GgmlError } from "./errors.ts";
import type { Device, Ggml } from "./ggml.ts";
import { type BuiltGraph, identifyGraph } from "./identify-graph.ts";
import { STATUS } from "./types.ts";

/** A graph that can be computed. */
interface AllocatedGraph {
  readonly allocatedPointer: Pointer;
}

/** A device that is open for computing. Dispose graphs and arenas before it; disposing during a computation throws. */
export class Backend implements Disposable {
  readonly ggml: Ggml;
  readonly device: Device;
  readonly name: string;
  readonly #device: Pointer;
  readonly #needsContextPerGraph: boolean;
  #pointer: Pointer | null;
  /** What was computed last; only kept where each graph needs a context of its own. */
  #lastGraph: AllocatedGraph | null = null;
  /** Computations that run or wait. */
  #running = 0;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(ggml: Ggml, pointer: Pointer, devicePointer: Pointer, device: Device) {
    this.ggml = ggml;
    this.#pointer = pointer;
    this.#device = devicePointer;
    this.device = device;
    this.#needsContextPerGraph = followsStaleDescriptors(device);
    this.name = ggml.native.backendName(pointer);
  }

  /**
   * Opens a backend on the first device for which `accepts` is true.
   *
   * @throws {GgmlError} `device-not-found` when no device is accepted, listing those that exist, or it cannot be opened
   */
  static open(ggml: Ggml, accepts: (device: Device) => boolean, wanted: string): Backend {
    for (const pointer of ggml.devicePointers()) {
      const device = ggml.describe(pointer);
      if (!accepts(device)) continue;
      const backend = ggml.native.deviceInit(pointer, null);
      if (backend === null) {
        throw new GgmlError("device-not-found", `open device ${device.name}`, "ggml could not initialize it");
      }
      return new Backend(ggml, backend, pointer, device);
    }
    const names = ggml.devices().map((device) => `${device.name} (${device.kind})`);
    throw new GgmlError(
      "device-not-found",
      `use device ${wanted}`,
      `this ggml library offers ${names.join(", ") || "no device"} (looked in ${ggml.files.directory})`,
    );
  }

  /** The native backend; for this package only. */
  get pointer(): Pointer {
    if (this.#pointer === null) throw new GgmlError("disposed", `use backend ${this.name}`, "it is disposed");
    return this.#pointer;
  }

  /** Gives a graph that is not allocated yet an identity, on devices that look for one; for Graph only. */
  prepareRepeated(graph: BuiltGraph): void {
    if (this.isHost) return;
    const { native } = this.ggml;
    const cpuDevice = this.ggml.devicePointers().find((pointer) => this.ggml.describe(pointer).kind === "cpu");
    const cpu = cpuDevice === undefined ? null : native.deviceInit(cpuDevice, null);
    if (cpu === null) return;
    try {
      identifyGraph(native, this.pointer, cpu, graph);
    } finally {
      native.backendFree(cpu);
    }
  }

  /** Whether tensors of this backend live in host memory. */
  get isHost(): boolean {
    return this.ggml.native.buftIsHost(this.bufferType);
  }

  /** What tensors get by default; for this package only. */
  get bufferType(): Pointer {
    return this.ggml.native.backendBufferType(this.pointer);
  }

  /**
   * Memory in which the CPU keeps some types of matrices in another order, that of its fastest products; null on other devices.
   * For this package only.
   */
  get repackedBufferType(): Pointer | null {
    const { native } = this.ggml;
    const name = "ggml_backend_dev_get_extra_bufts";
    const procedure = native.registryProcAddress(native.deviceRegistry(this.#device), name);
    const types = procedure === null ? [] : native.callGetExtraBufts(procedure, this.#device);
    return types.find((type) => native.buftName(type) === "CPU_REPACK") ?? null;
  }

  /** Memory of the device as of now, in bytes, for all processes together. */
  get memory(): { readonly freeBytes: number; readonly totalBytes: number } {
    const { memoryFreeBytes: freeBytes, memoryTotalBytes: totalBytes } = this.ggml.describe(this.#device);
    return { freeBytes, totalBytes };
  }

  /** Sets the number of CPU threads; no effect on devices without threads. */
  setThreads(threads: number): void {
    const { native } = this.ggml;
    const procedure = native.registryProcAddress(native.deviceRegistry(this.#device), "ggml_backend_set_n_threads");
    if (procedure !== null) native.callSetThreads(procedure, this.pointer, threads);
  }

  /**
   * Computes an allocated graph and waits, blocking this thread.
   *
   * @throws {GgmlError} `compute-failed` when ggml reports a failure
   */
  compute(graph: AllocatedGraph): void {
    this.#prepareContext(graph);
    this.#check(this.ggml.native.graphCompute(this.pointer, graph.allocatedPointer));
  }

  /**
   * Computes an allocated graph on another thread, so that the event loop stays free. Calls may overlap: a device computes
   * one graph at a time, in the order of the calls. Rejects with `compute-failed`.
   */
  computeAsync(graph: AllocatedGraph): Promise<void> {
    const start = () => this.#start(graph);
    const computed = this.#running === 0 ? start() : this.#last.then(start);
    this.#running += 1;
    const ended = computed.finally(() => {
      this.#running -= 1;
    });
    this.#last = ended.catch(() => undefined);
    return ended;
  }

  #start(graph: AllocatedGraph): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#prepareContext(graph);
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
      throw new GgmlError("disposed", `dispose backend ${this.name}`, "a computation is running");
    }
    if (this.#pointer !== null) this.ggml.native.backendFree(this.#pointer);
    this.#pointer = null;
  }

  /** Gives a graph a context without a past, where the driver needs that (see `followsStaleDescriptors`). */
  #prepareContext(graph: AllocatedGraph): void {
    if (!this.#needsContextPerGraph || graph === this.#lastGraph) return;
    if (this.#lastGraph !== null) {
      const { native } = this.ggml;
      native.backendFree(this.pointer);
      this.#lastGraph = null;
      this.#pointer = native.deviceInit(this.#device, null);
      if (this.#pointer === null) {
        throw new GgmlError("device-not-found", `open device ${this.name} again`, "ggml could not initialize it");
      }
    }
    this.#lastGraph = graph;
  }

  #check(status: number): void {
    if (status === STATUS.success) return;
    const kind = status === STATUS.allocationFailed ? "allocation-failed" : "compute-failed";
    throw new GgmlError(kind, `compute a graph on ${this.name}`, `ggml returned status ${status}`);
  }
}

/**
 * Whether the driver follows references to buffers that are gone: Mesa's software Vulkan device, seen in 22.3.6 (Debian 12).
 *
 * ggml keeps its descriptor sets and uses them again for the next graph. An operation with fewer operands than the last
 * user of its set leaves the other entries as they are, pointing at buffers that may have been freed since. Vulkan allows
 * that, as the shader does not use them, but this driver takes and drops a reference to every entry: a use after free and
 * then a double free, as soon as a second graph is computed after a first was disposed. A new context has new, empty sets.
 * With one for each graph, sets know only buffers that live as long as the graph; ggml's own scratch buffers, which it
 * replaces by larger ones for larger graphs, are then of one size too.
 */
function followsStaleDescriptors(device: Device): boolean {
  return device.backendName === "Vulkan" && device.description.startsWith("llvmpipe");
}
