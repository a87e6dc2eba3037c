import type { Backend, Tensor, TensorType } from "@higgs-worker/ggml";
import type { HiggsConfig } from "../checkpoint/lm-config.ts";
import { clearPadding, headRowMultipleOf, paddedShape, storedBytes } from "./padded-head.ts";
import { readWeights, type ReadWeightsOptions, type WeightTarget } from "./read-weights.ts";
import { ropeDivisors } from "./rope-factors.ts";
import { TextEmbeddings } from "./text-embeddings.ts";
import { WeightMemory } from "./weight-memory.ts";
import type { WeightSource, WeightTensor } from "./weight-source.ts";

/** One of the two sets of norms and MLP of a layer; every position goes through exactly one (spec model §4.2). */
export interface BranchWeights {
  /** Before the attention. f32 [nEmbd] */
  readonly attnNorm: Tensor;
  /** Before the MLP. f32 [nEmbd] */
  readonly ffnNorm: Tensor;
  /** [nEmbd, nFf] */
  readonly ffnGate: Tensor;
  /** [nEmbd, nFf] */
  readonly ffnUp: Tensor;
  /** [nFf, nEmbd] */
  readonly ffnDown: Tensor;
}

export interface LayerWeights {
  /** [nEmbd, headDim · nHead] */
  readonly q: Tensor;
  /** [nEmbd, headDim · nHeadKv] */
  readonly k: Tensor;
  /** [nEmbd, headDim · nHeadKv] */
  readonly v: Tensor;
  /** [headDim · nHead, nEmbd] */
  readonly o: Tensor;
  readonly text: BranchWeights;
  readonly audio: BranchWeights;
}

/** How the weights are held: as the source stores them, or widened to f32 for exact comparisons. */
export type WeightPrecision = "stored" | "f32";

export interface LoadWeightsOptions extends ReadWeightsOptions {
  readonly precision: WeightPrecision;
  /** What the number of rows of the audio head is rounded up to; default: what is fast on the device. */
  readonly headRowMultiple?: number | undefined;
}

const FLOAT_TYPES: ReadonlySet<TensorType> = new Set(["f32", "f16", "bf16"]);

export const TOKEN_EMBEDDINGS = "token_embd.weight";
const AUDIO_HEAD = "audio_output.weight";
const ROPE_DIVISORS = "rope_divisors";
/** Rows of it are looked up, which needs them in the order of their type. */
const AUDIO_EMBEDDINGS = "audio_embd.weight";

/** The tensors of the generation model on a device, and its text embeddings in the host's memory. Names are GGUF's; the audio branch has the suffix `_audio`. */
export class HiggsWeights implements Disposable {
  readonly layers: readonly LayerWeights[];
  /** f32 [nEmbd] */
  readonly outputNorm: Tensor;
  /** Rows of all codebooks, codebook-major. [nEmbd, idsPerCodebook · numCodebooks] */
  readonly audioEmbeddings: Tensor;
  /** [nEmbd, idsPerCodebook · numCodebooks], on some devices with rows of zeros behind */
  readonly audioHead: Tensor;
  /** f32 [headDim / 2] */
  readonly ropeDivisors: Tensor;
  readonly textEmbeddings: TextEmbeddings;
  /**
   * Rows that a step must have at least so that a sequence gets the same bits alone and beside others. ggml's CPU backend
   * multiplies one row of float weights by another kernel than several, with another order of additions; quantized weights
   * it multiplies row by row.
   */
  readonly fewestRows: 1 | 2;
  readonly #memory: WeightMemory;

  private constructor(memory: WeightMemory, textEmbeddings: TextEmbeddings, config: HiggsConfig) {
    const tensor = (name: string): Tensor => memory.tensor(name);
    this.#memory = memory;
    this.textEmbeddings = textEmbeddings;
    this.layers = Array.from({ length: config.numHiddenLayers }, (_, il) => layerOf(tensor, il));
    this.outputNorm = tensor("output_norm.weight");
    this.audioEmbeddings = tensor(AUDIO_EMBEDDINGS);
    this.audioHead = tensor(AUDIO_HEAD);
    this.ropeDivisors = tensor(ROPE_DIVISORS);
    const matrices = [
      this.audioHead,
      ...this.layers.flatMap(({ q, k, v, o, audio }) => [q, k, v, o, ...branchMatrices(audio)]),
    ];
    this.fewestRows = memory.isHost && matrices.some(({ type }) => FLOAT_TYPES.has(type)) ? 2 : 1;
  }

  /** Bytes on the device. */
  get byteLength(): number {
    return this.#memory.byteLength;
  }

  /**
   * Whether a product with this matrix must take row by row what comes from several sequences, so that each gets the same bits
   * alone and beside others.
   */
  needsRowByRow(matrix: Tensor): boolean {
    return this.#memory.needsRowByRow(matrix);
  }

  /** Bytes that a decode step reads (spec model §2.4): all but the text branches; of the embeddings only a few rows. */
  get audioStepBytes(): number {
    const perLayer = this.layers.map(({ q, k, v, o, audio }) => [q, k, v, o, ...(Object.values(audio) as Tensor[])]);
    return [...perLayer.flat(), this.outputNorm, this.audioHead].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /**
   * Reads all weights onto the backend, and the text embeddings into memory.
   *
   * @throws {GgmlError} `allocation-failed` when memory is too small
   * @throws {HiggsError} OUT_OF_MEMORY when the host has no room for the text embeddings
   * @throws what the source throws
   */
  static async load(backend: Backend, source: WeightSource, options: LoadWeightsOptions): Promise<HiggsWeights> {
    const { precision, headRowMultiple = headRowMultipleOf(backend) } = options;
    // The zeros of a padded head are a part of it, which repacked memory does not take.
    const plain = new Set([AUDIO_EMBEDDINGS, ...(headRowMultiple > 1 ? [AUDIO_HEAD] : [])]);
    const memory = new WeightMemory(backend, heldTensors(source, precision, headRowMultiple), plain);
    try {
      memory.tensor(ROPE_DIVISORS).set(ropeDivisors(source.config));
      clearPadding(memory.tensor(AUDIO_HEAD), tensorOf(source, AUDIO_HEAD));
      const textEmbeddings = new TextEmbeddings(tensorOf(source, TOKEN_EMBEDDINGS));
      const targets = [...source.tensors].map(([name, stored]): WeightTarget => {
        if (name === AUDIO_HEAD) return memory.target(name, storedBytes(memory.tensor(name), stored));
        if (name !== TOKEN_EMBEDDINGS) return memory.target(name);
        const { type, byteLength, bytes } = textEmbeddings;
        const set = (part: Uint8Array, byteOffset: number): void => textEmbeddings.set(part, byteOffset);
        return { name, type, byteLength, bytes, set, setWhole: null };
      });
      await readWeights(source, targets, options);
      return new HiggsWeights(memory, textEmbeddings, source.config);
    } catch (error) {
      memory[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}

function branchMatrices({ ffnGate, ffnUp, ffnDown }: BranchWeights): Tensor[] {
  return [ffnGate, ffnUp, ffnDown];
}

function tensorOf(source: WeightSource, name: string): WeightTensor {
  const tensor = source.tensors.get(name);
  if (tensor === undefined) throw new RangeError(`Cannot load the model: it has no ${name}`);
  return tensor;
}

/** All that lies on the device. */
function heldTensors(source: WeightSource, precision: WeightPrecision, headRowMultiple: number): WeightTensor[] {
  const stored = [...source.tensors.values()].filter(({ name }) => name !== TOKEN_EMBEDDINGS);
  const divisors = { name: ROPE_DIVISORS, type: "f32", shape: [source.config.headDim / 2] } as const;
  const held = stored.map(({ name, type, shape }) => ({
    name,
    type: heldType(name, type, precision),
    shape: name === AUDIO_HEAD ? paddedShape(shape, headRowMultiple) : shape,
  }));
  return [...held, divisors];
}

/** Norms are multiplied with f32 activations, so they are f32 even if the file holds another type. */
export function heldType(name: string, stored: TensorType, precision: WeightPrecision): TensorType {
  return precision === "f32" || /norm(_audio)?\.weight$/.test(name) ? "f32" : stored;
}

function layerOf(tensor: (name: string) => Tensor, il: number): LayerWeights {
  const blk = (name: string): Tensor => tensor(`blk.${il}.${name}.weight`);
  const branch = (suffix: string): BranchWeights => ({
    attnNorm: blk(`attn_norm${suffix}`),
    ffnNorm: blk(`ffn_norm${suffix}`),
    ffnGate: blk(`ffn_gate${suffix}`),
    ffnUp: blk(`ffn_up${suffix}`),
    ffnDown: blk(`ffn_down${suffix}`),
  });
  return {
    q: blk("attn_q"),
    k: blk("attn_k"),
    v: blk("attn_v"),
    o: blk("attn_output"),
    text: branch(""),
    audio: branch("_audio"),
  };
}
