import type { TensorType } from "@higgs-worker/ggml";
import { convertToF32, type FloatDtype } from "../../checkpoint/convert-dtype.ts";
import type { HiggsConfig } from "../../checkpoint/lm-config.ts";
import type { PromptRows } from "../prompt-rows.ts";
import type { WeightSource } from "../weight-source.ts";

/**
 * An independent implementation of the trunk's arithmetic from the formulas of spec model §4 alone: Float64, plain loops, one
 * position after the other, every attention over all that came before. Nothing is shared with the ggml graphs.
 */
export class OracleModel {
  readonly config: HiggsConfig;
  readonly #tensors: ReadonlyMap<string, Float32Array>;

  private constructor(config: HiggsConfig, tensors: ReadonlyMap<string, Float32Array>) {
    this.config = config;
    this.#tensors = tensors;
  }

  /** Reads all weights, as stored, into f32. */
  static async read(source: WeightSource): Promise<OracleModel> {
    const tensors = new Map<string, Float32Array>();
    for (const { name, type } of source.tensors.values()) {
      const chunks: Uint8Array[] = [];
      for await (const { bytes } of source.stream(name, type)) chunks.push(bytes.slice());
      tensors.set(name, dequantize(type, Buffer.concat(chunks)));
    }
    return new OracleModel(source.config, tensors);
  }

  /** A new, empty sequence. */
  begin(): OracleSequence {
    return new OracleSequence(this);
  }

  tensor(name: string): Float32Array {
    const values = this.#tensors.get(name);
    if (values === undefined) throw new Error(`no tensor ${name}`);
    return values;
  }

  /** One vector for each text id. */
  embedText(ids: Int32Array): Float64Array[] {
    const { hiddenSize } = this.config;
    const table = this.tensor("token_embd.weight");
    return Array.from(ids, (id) => Float64Array.from(table.subarray(id * hiddenSize, (id + 1) * hiddenSize)));
  }

  /** Σ over k of row k · idsPerCodebook + id[k] (spec model §4.1). */
  embedColumn(column: ArrayLike<number>): Float64Array {
    const { hiddenSize, idsPerCodebook } = this.config;
    const table = this.tensor("audio_embd.weight");
    const sum = new Float64Array(hiddenSize);
    for (let k = 0; k < column.length; k++) {
      const row = k * idsPerCodebook + at(column, k);
      for (let i = 0; i < hiddenSize; i++) sum[i] = at(sum, i) + at(table, row * hiddenSize + i);
    }
    return sum;
  }

  /** Logits of all codebooks for a final-normed hidden state (spec model §4.5). */
  logits(norm: Float64Array): Float64Array {
    return multiply(this.tensor("audio_output.weight"), norm);
  }
}

/** What one position gives: the hidden state after the embedding, after each layer, and after the final norm. */
export interface OraclePosition {
  readonly embedding: Float64Array;
  readonly layers: readonly Float64Array[];
  readonly norm: Float64Array;
}

/** One sequence with its keys and values. */
export class OracleSequence {
  readonly #model: OracleModel;
  /** [layer][position] → [kvHeads · headDim] */
  readonly #keys: Float64Array[][];
  readonly #values: Float64Array[][];
  #length = 0;

  constructor(model: OracleModel) {
    const { numHiddenLayers } = model.config;
    this.#model = model;
    this.#keys = Array.from({ length: numHiddenLayers }, () => []);
    this.#values = Array.from({ length: numHiddenLayers }, () => []);
  }

  get length(): number {
    return this.#length;
  }

  async feedPrompt({ isAudio, textIds, columnIds }: PromptRows): Promise<OraclePosition[]> {
    const { numCodebooks } = this.#model.config;
    const texts = this.#model.embedText(textIds);
    let columnStart = 0;
    return Array.from(isAudio, (flag) => {
      if (flag === 0) return this.#feed(texts.shift() ?? new Float64Array(0), false);
      const column = columnIds.subarray(columnStart, columnStart + numCodebooks);
      columnStart += numCodebooks;
      return this.feedColumn(column);
    });
  }

  feedColumn(column: ArrayLike<number>): OraclePosition {
    return this.#feed(this.#model.embedColumn(column), true);
  }

  #feed(embedding: Float64Array, isAudio: boolean): OraclePosition {
    const { numHiddenLayers, rmsNormEps } = this.#model.config;
    const layers: Float64Array[] = [];
    let x = embedding;
    for (let il = 0; il < numHiddenLayers; il++) {
      x = this.#layer(il, x, isAudio ? "_audio" : "");
      layers.push(x);
    }
    this.#length += 1;
    return { embedding, layers, norm: rmsNorm(x, this.#model.tensor("output_norm.weight"), rmsNormEps) };
  }

  /** spec model §4.2.1 to §4.2.6. */
  #layer(il: number, x: Float64Array, suffix: "" | "_audio"): Float64Array {
    const { rmsNormEps } = this.#model.config;
    const weight = (name: string): Float32Array => this.#model.tensor(`blk.${il}.${name}.weight`);
    const normed = rmsNorm(x, weight(`attn_norm${suffix}`), rmsNormEps);
    const query = rotate(multiply(weight("attn_q"), normed), this.#length, this.#model.config);
    this.#keys[il]?.push(rotate(multiply(weight("attn_k"), normed), this.#length, this.#model.config));
    this.#values[il]?.push(multiply(weight("attn_v"), normed));
    const y = add(x, multiply(weight("attn_output"), this.#attend(il, query)));
    const z = rmsNorm(y, weight(`ffn_norm${suffix}`), rmsNormEps);
    const gate = multiply(weight(`ffn_gate${suffix}`), z);
    const up = multiply(weight(`ffn_up${suffix}`), z);
    const product = gate.map((g, i) => (g / (1 + Math.exp(-g))) * at(up, i));
    return add(y, multiply(weight(`ffn_down${suffix}`), product));
  }

  /** Softmax attention of each query head over all positions so far, its own included; head h reads KV head ⌊h / group⌋. */
  #attend(il: number, query: Float64Array): Float64Array {
    const { numAttentionHeads, numKeyValueHeads, headDim } = this.#model.config;
    const keys = this.#keys[il] ?? [];
    const values = this.#values[il] ?? [];
    const attended = new Float64Array(query.length);
    for (let head = 0; head < numAttentionHeads; head++) {
      const kvStart = Math.floor(head / (numAttentionHeads / numKeyValueHeads)) * headDim;
      const scores = keys.map((key) => {
        let dot = 0;
        for (let i = 0; i < headDim; i++) dot += at(query, head * headDim + i) * at(key, kvStart + i);
        return dot / Math.sqrt(headDim);
      });
      const largest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - largest));
      const total = weights.reduce((sum, w) => sum + w, 0);
      for (const [position, w] of weights.entries()) {
        for (let i = 0; i < headDim; i++) {
          const element = head * headDim + i;
          attended[element] = at(attended, element) + (w / total) * at(values[position] ?? [], kvStart + i);
        }
      }
    }
    return attended;
  }
}

/** x / √(mean of x² + ε) ⊙ weight */
function rmsNorm(x: Float64Array, weight: Float32Array, epsilon: number): Float64Array {
  const meanSquare = x.reduce((sum, v) => sum + v * v, 0) / x.length;
  return x.map((v, i) => (v / Math.sqrt(meanSquare + epsilon)) * at(weight, i));
}

/** matrix [out, in] · x [in] */
function multiply(matrix: Float32Array, x: Float64Array): Float64Array {
  const product = new Float64Array(matrix.length / x.length);
  for (let out = 0; out < product.length; out++) {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += at(matrix, out * x.length + i) * at(x, i);
    product[out] = sum;
  }
  return product;
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((v, i) => v + at(b, i));
}

/** Rotary embedding with llama3 scaling; dimension j of a head pairs with j + headDim / 2 (spec model §4.4). */
function rotate(x: Float64Array, position: number, config: HiggsConfig): Float64Array {
  const { headDim } = config;
  const half = headDim / 2;
  const rotated = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += headDim) {
    for (let j = 0; j < half; j++) {
      const angle = position * inverseFrequency(j, config);
      const [a, b] = [at(x, start + j), at(x, start + j + half)];
      rotated[start + j] = a * Math.cos(angle) - b * Math.sin(angle);
      rotated[start + j + half] = b * Math.cos(angle) + a * Math.sin(angle);
    }
  }
  return rotated;
}

/** f'ⱼ: short wavelengths as they are, long ones divided by the factor, a ramp in between. */
function inverseFrequency(j: number, { headDim, ropeTheta, ropeScaling }: HiggsConfig): number {
  const { factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPositionEmbeddings: original } = ropeScaling;
  const f = ropeTheta ** (-(2 * j) / headDim);
  const turns = original / ((2 * Math.PI) / f);
  if (turns > high) return f;
  if (turns < low) return f / factor;
  const s = (turns - low) / (high - low);
  return (1 - s) * (f / factor) + s * f;
}

const FLOAT_DTYPES: Partial<Record<TensorType, FloatDtype>> = { f32: "F32", f16: "F16", bf16: "BF16" };
const Q8_VALUES = 32;
const Q8_BYTES = 34;

/** q8_0 is blocks of one f16 scale and 32 signed bytes. */
function dequantize(type: TensorType, buffer: Buffer): Float32Array {
  const bytes = new Uint8Array(buffer); // aligned, unlike a Buffer of the pool
  const dtype = FLOAT_DTYPES[type];
  if (dtype !== undefined) {
    const values = new Float32Array(bytes.length / (dtype === "F32" ? 4 : 2));
    convertToF32(dtype, bytes, values);
    return values;
  }
  if (type !== "q8_0") throw new Error(`the oracle cannot read ${type}`);
  const values = new Float32Array((bytes.length / Q8_BYTES) * Q8_VALUES);
  const scale = new Float32Array(1);
  for (let block = 0; block < bytes.length / Q8_BYTES; block++) {
    const start = block * Q8_BYTES;
    convertToF32("F16", bytes.slice(start, start + 2), scale);
    for (let i = 0; i < Q8_VALUES; i++) {
      values[block * Q8_VALUES + i] = at(scale, 0) * buffer.readInt8(start + 2 + i);
    }
  }
  return values;
}

/** An element that must be there. */
function at(list: ArrayLike<number>, index: number): number {
  const found = list[index];
  if (found === undefined) throw new RangeError(`no element ${index} of ${list.length}`);
  return found;
}
