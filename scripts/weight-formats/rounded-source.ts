import { type Backend, Graph, quantizeRows, rowBytes, TENSOR_TYPES, type TensorType } from "@higgs-worker/ggml";
import { CheckpointWeightSource, type WeightSource } from "@higgs-worker/higgs-audio/parts";

/** On these every sampled code depends directly: no format takes less than 8 bits for them. */
const AT_LEAST_8_BITS = new Set(["audio_embd.weight", "audio_output.weight"]);
const LOOKED_UP = "token_embd.weight";

/**
 * A checkpoint whose matrices have the values that a format rounds them to. Rows that are not whole blocks are filled up with
 * zeros, so that every format can be tried on short rows: a block of 256 then has some empty parts, which its other parts do not feel but
 * through the block's common scale.
 *
 * @param isNative the matrices keep the format's own type, so that products round the other side too; only for rows of whole blocks
 */
export class RoundedSource implements WeightSource {
  readonly tensors: WeightSource["tensors"];
  readonly #inner: CheckpointWeightSource;
  readonly #backend: Backend;
  readonly #format: TensorType | null;
  readonly #isNative: boolean;

  private constructor(inner: CheckpointWeightSource, backend: Backend, format: TensorType | null, isNative: boolean) {
    this.#inner = inner;
    this.#backend = backend;
    this.#format = format;
    this.#isNative = isNative;
    this.tensors = new Map(
      [...inner.tensors].map(([name, tensor]) => [
        name,
        { ...tensor, type: isNative ? (this.#typeOf(name) ?? "f32") : tensor.type },
      ]),
    );
  }

  /** Opens a checkpoint; `format` null leaves its values as they are. */
  static async open(path: string, backend: Backend, format: TensorType | null, isNative = false) {
    return new RoundedSource(await CheckpointWeightSource.open(path), backend, format, isNative);
  }

  get config(): WeightSource["config"] {
    return this.#inner.config;
  }

  async *stream(name: string, type: TensorType) {
    const values = await this.#inner.readOptional(name);
    if (values === null) throw new Error(`Cannot read ${name}: the checkpoint has no such tensor`);
    const rounded = this.#typeOf(name);
    const [rowLength = 1] = this.tensors.get(name)?.shape ?? [];
    let bytes: Uint8Array = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    if (type !== "f32") {
      bytes = new Uint8Array((values.length / rowLength) * rowBytes(type, rowLength));
      quantizeRows(this.#backend.ggml, type, values, bytes, rowLength);
    } else if (rounded !== null) {
      const result = this.#round(values, rowLength, rounded);
      bytes = new Uint8Array(result.buffer, result.byteOffset, result.byteLength);
    }
    yield { byteOffset: 0, bytes };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#inner[Symbol.asyncDispose]();
  }

  /** The type whose values a tensor takes; null for its own. */
  #typeOf(name: string): TensorType | null {
    const { shape = [] } = this.#inner.tensors.get(name) ?? {};
    if (this.#format === null || shape.length === 1) return null;
    if (name === LOOKED_UP) return this.#isNative ? "bf16" : null;
    return AT_LEAST_8_BITS.has(name) ? "q8_0" : this.#format;
  }

  /** To a type and back. */
  #round(values: Float32Array, rowLength: number, type: TensorType): Float32Array {
    const rows = values.length / rowLength;
    const { blockSize } = TENSOR_TYPES[type];
    const paddedLength = Math.ceil(rowLength / blockSize) * blockSize;
    const padded = new Float32Array(rows * paddedLength);
    for (let row = 0; row < rows; row++) {
      padded.set(values.subarray(row * rowLength, (row + 1) * rowLength), row * paddedLength);
    }
    const bytes = new Uint8Array(rows * rowBytes(type, paddedLength));
    quantizeRows(this.#backend.ggml, type, padded, bytes, paddedLength);
    using graph = new Graph(this.#backend.ggml, { maxNodes: 4 });
    const matrix = graph.input("matrix", type, paddedLength, rows);
    const ids = graph.input("ids", "i32", rows);
    const result = graph.output(graph.getRows(matrix, ids));
    graph.allocate(this.#backend);
    matrix.set(bytes);
    ids.set(Int32Array.from({ length: rows }, (_, row) => row));
    this.#backend.compute(graph);
    const all = result.toFloat32();
    const rounded = new Float32Array(values.length);
    for (let row = 0; row < rows; row++) {
      rounded.set(all.subarray(row * paddedLength, row * paddedLength + rowLength), row * rowLength);
    }
    return rounded;
  }
}
