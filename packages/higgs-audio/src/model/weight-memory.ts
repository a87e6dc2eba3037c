import {
  type Backend,
  canRepack,
  repackedRowsAgree,
  type Tensor,
  TensorArena,
  type TensorType,
} from "@higgs-worker/ggml";
import type { WeightTarget } from "./read-weights.ts";
import type { WeightTensor } from "./weight-source.ts";

/**
 * Memory of the weights on a device. On the CPU, matrices whose products are faster from another order of their values lie in
 * memory of that order (ggml's `CPU_REPACK`); it takes whole matrices only, and their rows cannot be looked up.
 */
export class WeightMemory implements Disposable {
  readonly #plain: TensorArena;
  readonly #repacked: TensorArena;
  readonly #isRepacked: ReadonlySet<string>;
  /** Repacked matrices whose products give a row other bits alone than beside others. */
  readonly #rowByRow: ReadonlySet<Tensor>;

  /**
   * Allocates all tensors.
   *
   * @param plain names of tensors that are read or written in parts
   * @throws {GgmlError} `allocation-failed` when memory is too small
   */
  constructor(backend: Backend, tensors: readonly WeightTensor[], plain: ReadonlySet<string>) {
    const kinds = new RepackedKinds(backend);
    const isRepacked = ({ name, type, shape }: WeightTensor) => !plain.has(name) && kinds.has(type, shape);
    this.#isRepacked = new Set(tensors.filter(isRepacked).map(({ name }) => name));
    this.#plain = new TensorArena(backend.ggml, { maxTensors: tensors.length });
    this.#repacked = new TensorArena(backend.ggml, { maxTensors: tensors.length });
    const rowByRow = new Set<Tensor>();
    for (const { name, type, shape } of tensors) {
      const tensor = this.#arenaOf(name).define(name, type, ...shape);
      if (this.#isRepacked.has(name) && !kinds.rowsAgree(type, shape)) rowByRow.add(tensor);
    }
    this.#rowByRow = rowByRow;
    try {
      this.#plain.allocate(backend, "weights");
      if (this.#isRepacked.size > 0) this.#repacked.allocate(backend, "repacked");
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  get byteLength(): number {
    return this.#plain.byteLength + this.#repacked.byteLength;
  }

  get isHost(): boolean {
    return this.#plain.isHost;
  }

  tensor(name: string): Tensor {
    return this.#arenaOf(name).tensor(name);
  }

  /** Whether several rows must be multiplied one by one, so that each gets the bits that it gets alone. */
  needsRowByRow(matrix: Tensor): boolean {
    return this.#rowByRow.has(matrix);
  }

  /** Where the bytes of a tensor go; of its first `byteLength` when it has more than are stored. */
  target(name: string, byteLength = this.tensor(name).byteLength): WeightTarget {
    const tensor = this.tensor(name);
    const isRepacked = this.#isRepacked.has(name);
    return {
      name,
      type: tensor.type,
      byteLength,
      bytes: this.#arenaOf(name).hostBytes(name),
      set: (bytes, byteOffset) => tensor.set(bytes, byteOffset),
      setWhole: isRepacked ? (bytes) => tensor.setWhole(bytes) : null,
    };
  }

  [Symbol.dispose](): void {
    this.#plain[Symbol.dispose]();
    this.#repacked[Symbol.dispose]();
  }

  #arenaOf(name: string): TensorArena {
    return this.#isRepacked.has(name) ? this.#repacked : this.#plain;
  }
}

/** What is known of repacked memory on a backend, found once for each type and shape. */
class RepackedKinds {
  readonly #backend: Backend;
  readonly #known = new Map<string, boolean>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  has(type: TensorType, shape: readonly number[]): boolean {
    // A GGUF file names all four dimensions.
    const [rowLength = 0, rowCount = 1, ...outer] = shape;
    if (rowCount === 1 || outer.some((size) => size !== 1)) return false;
    return this.#ask(`${type} ${rowLength} ${rowCount}`, () => canRepack(this.#backend, type, rowLength, rowCount));
  }

  rowsAgree(type: TensorType, [rowLength = 0]: readonly number[]): boolean {
    return this.#ask(`${type} ${rowLength}`, () => repackedRowsAgree(this.#backend, type, rowLength));
  }

  #ask(key: string, find: () => boolean): boolean {
    const known = this.#known.get(key) ?? find();
    this.#known.set(key, known);
    return known;
  }
}
