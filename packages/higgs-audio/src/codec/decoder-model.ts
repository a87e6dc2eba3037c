import { type Backend, Graph, type Tensor } from "@higgs-worker/ggml";
import { type CodecSource, CodecWeights } from "./codec-weights.ts";
import { type CarriedWindow, type DacDecoder, defineDacDecoder, defineRowDacDecoder } from "./dac-decoder.ts";
import { type Observe, observeNothing } from "./layers.ts";
import { contextOf, type FrameContext } from "./receptive-field.ts";

/**
 * Inverse of the quantizers, Σᵢ (project_outᵢ · embedᵢ[codeᵢ] + biasᵢ) (spec model §9.6), as one lookup and one product: the
 * tables stand below each other, the projections beside each other, and the biases are added up.
 */
export interface RvqDecoder {
  /** [codebookDim, codebookSize · quantizers] */
  readonly table: Tensor;
  /** [codebookDim · quantizers, quantizerDim] */
  readonly projection: Tensor;
  /** [quantizerDim] */
  readonly bias: Tensor;
  readonly codebookSize: number;
  readonly quantizerCount: number;
}

function defineRvqDecoder(weights: CodecWeights): RvqDecoder {
  const { source, config } = weights;
  const { numQuantizers } = config;
  const [codebookSize = 0, codebookDim = 0] = weights.shapeOf(embedName(0));
  const [quantizerDim = 0] = weights.shapeOf(`${projectName(0)}.weight`);
  return {
    table: weights.derive("quantizer.table", [codebookDim, codebookSize * numQuantizers], () =>
      readTables(source, numQuantizers),
    ),
    projection: weights.derive("quantizer.projection", [codebookDim * numQuantizers, quantizerDim], () =>
      readProjections(source, numQuantizers),
    ),
    bias: weights.derive("quantizer.bias", [quantizerDim], () => readBias(source, numQuantizers)),
    codebookSize,
    quantizerCount: numQuantizers,
  };
}

/** Row ids i32 [quantizers · time] of the table, frame by frame → [quantizerDim, time]. */
function rvqDecode(graph: Graph, decoder: RvqDecoder, rows: Tensor): Tensor {
  const time = rows.shape[0] / decoder.quantizerCount;
  const vectors = graph.reshape(graph.getRows(decoder.table, rows), decoder.projection.shape[0], time);
  return graph.add(graph.mulMat(decoder.projection, vectors, { precise: true }), decoder.bias);
}

function embedName(quantizer: number): string {
  return `quantizer.quantizers.${quantizer}.codebook.embed`;
}

function projectName(quantizer: number): string {
  return `quantizer.quantizers.${quantizer}.project_out`;
}

function readAll(source: CodecSource, count: number, nameOf: (quantizer: number) => string): Promise<Float32Array[]> {
  return Promise.all(Array.from({ length: count }, (_, quantizer) => source.readF32(nameOf(quantizer))));
}

async function readTables(source: CodecSource, count: number): Promise<Float32Array> {
  const tables = await readAll(source, count, embedName);
  const size = tables[0]?.length ?? 0;
  const result = new Float32Array(size * count);
  for (const [index, table] of tables.entries()) result.set(table, index * size);
  return result;
}

async function readProjections(source: CodecSource, count: number): Promise<Float32Array> {
  const projections = await readAll(source, count, (quantizer) => `${projectName(quantizer)}.weight`);
  const [rows = 0, width = 0] = source.tensor(`${projectName(0)}.weight`).shape;
  const result = new Float32Array(rows * width * count);
  for (const [index, projection] of projections.entries()) {
    for (let row = 0; row < rows; row++) {
      result.set(projection.subarray(row * width, (row + 1) * width), (row * count + index) * width);
    }
  }
  return result;
}

async function readBias(source: CodecSource, count: number): Promise<Float32Array> {
  const biases = await readAll(source, count, (quantizer) => `${projectName(quantizer)}.bias`);
  const result = new Float32Array(biases[0]?.length ?? 0);
  for (let i = 0; i < result.length; i++) result[i] = biases.reduce((sum, bias) => sum + (bias[i] ?? 0), 0);
  return result;
}

/** Tensors that the decoder defines beside those of its blocks, and in each block; generous. */
const TENSORS_AROUND = 32;
const TENSORS_PER_BLOCK = 48;
/** Graph nodes before the DAC decoder. */
const NODES_BEFORE = 32;

/** Weights that turn codes into samples: quantizer tables, `fc2` and the DAC decoder (spec model §9.6, §9.4). */
export class DecoderModel implements Disposable {
  readonly backend: Backend;
  readonly quantizerCount: number;
  readonly codebookSize: number;
  readonly sampleRateHz: number;
  readonly samplesPerFrame: number;
  /** Frames that a piece needs on each side of those that it is made for (spec model §9.7). */
  readonly context: FrameContext;
  readonly #weights: CodecWeights;
  readonly #rvq: RvqDecoder;
  readonly #fc2: { readonly weight: Tensor; readonly bias: Tensor };
  readonly #dac: DacDecoder;

  private constructor(backend: Backend, weights: CodecWeights) {
    const { config } = weights;
    this.backend = backend;
    this.#weights = weights;
    this.#rvq = defineRvqDecoder(weights);
    this.#fc2 = { weight: weights.define("fc2.weight"), bias: weights.define("fc2.bias") };
    this.#dac = backend.isHost ? defineRowDacDecoder(weights) : defineDacDecoder(weights);
    this.quantizerCount = config.numQuantizers;
    this.codebookSize = config.codebookSize;
    this.sampleRateHz = config.sampleRateHz;
    this.samplesPerFrame = config.decoderRatios.reduce((product, ratio) => product * ratio, 1);
    this.context = contextOf(this.#dac.timeLayers, this.samplesPerFrame);
  }

  /**
   * Loads the weights onto the backend.
   *
   * @throws {GgmlError} `allocation-failed` when memory is too small
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws what the checkpoint throws
   */
  static async load(
    backend: Backend,
    source: CodecSource,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<DecoderModel> {
    const maxTensors = TENSORS_AROUND + TENSORS_PER_BLOCK * source.config.decoderRatios.length;
    const weights = new CodecWeights(backend, source, { maxTensors });
    try {
      const model = new DecoderModel(backend, weights);
      await weights.load(backend, options);
      return model;
    } catch (error) {
      weights[Symbol.dispose]();
      throw error;
    }
  }

  /** Bytes of the weights on the backend. */
  get weightBytes(): number {
    return this.#weights.byteLength;
  }

  /** An empty graph with room to `build` the decode of some frames. */
  newGraph(frames: number): Graph {
    return new Graph(this.backend.ggml, { maxNodes: NODES_BEFORE + this.#dac.maxNodes(frames) });
  }

  /** Table rows i32 [quantizers · frames], frame by frame → samples [frames · samplesPerFrame, 1]. */
  build(graph: Graph, rows: Tensor, observe: Observe = observeNothing): Tensor {
    return this.#dac.build(graph, this.#latents(graph, rows, observe), observe);
  }

  /** Values that a window of a stream leaves to the next; null where windows are decoded with the frames around them. */
  get carriedCount(): number | null {
    return this.#dac.windows?.valueCount ?? null;
  }

  /**
   * Table rows of one window of a stream, which has a true end at most at one side → the samples that follow those of the window
   * before and are certain with these frames, [samples, 1]. Only with a `carriedCount`.
   *
   * @param rows of `frames` new frames, or of more, which are left out; null for none, in a last window
   */
  buildWindow(graph: Graph, rows: Tensor | null, frames: number, window: CarriedWindow): Tensor {
    if (this.#dac.windows === null) throw new RangeError("Cannot carry rows from window to window on this device");
    if (rows === null) return this.#dac.windows.build(graph, null, window);
    const latents = this.#latents(graph, rows, observeNothing);
    return this.#dac.windows.build(graph, graph.view(latents, [latents.shape[0], frames]), window);
  }

  #latents(graph: Graph, rows: Tensor, observe: Observe): Tensor {
    const quantized = rvqDecode(graph, this.#rvq, rows);
    observe("quantised", quantized);
    const product = graph.mulMat(this.#fc2.weight, quantized, { precise: true });
    return observe("fc2", graph.add(product, this.#fc2.bias));
  }

  [Symbol.dispose](): void {
    this.#weights[Symbol.dispose]();
  }
}
