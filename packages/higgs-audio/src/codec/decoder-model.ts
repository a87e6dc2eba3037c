import { type Backend, Graph, type Tensor } from "@higgs-worker/ggml";
import { type CodecSource, CodecWeights } from "./codec-weights.ts";
import { type DacDecoder, dacDecode, defineDacDecoder, timeLayersOf } from "./dac-decoder.ts";
import { type FrameContext, contextOf } from "./receptive-field.ts";
import { type RvqDecoder, defineRvqDecoder, rvqDecode } from "./rvq-decode.ts";
import { type Observe, observeNothing } from "./stages.ts";

/** Tensors that the decoder defines beside those of its blocks, and in each block; generous. */
const TENSORS_AROUND = 32;
const TENSORS_PER_BLOCK = 48;
/** Graph nodes likewise: 390 in all for five blocks. */
const NODES_AROUND = 64;
const NODES_PER_BLOCK = 128;

/** Weights that turn codes into samples: quantiser tables, `fc2` and the DAC decoder (spec model §9.6, §9.4). */
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
    this.#dac = defineDacDecoder(weights);
    this.quantizerCount = config.numQuantizers;
    this.codebookSize = config.codebookSize;
    this.sampleRateHz = config.sampleRateHz;
    this.samplesPerFrame = config.decoderRatios.reduce((product, ratio) => product * ratio, 1);
    this.context = contextOf(timeLayersOf(this.#dac), this.samplesPerFrame);
  }

  /** Throws GgmlError `allocation-failed`, CANCELLED, or what the checkpoint throws. */
  static async load(
    backend: Backend,
    source: CodecSource,
    options: { signal?: AbortSignal } = {},
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

  /** An empty graph with room for `build`. */
  newGraph(): Graph {
    return new Graph(this.backend.ggml, { maxNodes: NODES_AROUND + NODES_PER_BLOCK * this.#dac.blocks.length });
  }

  /** Table rows i32 [quantisers · frames], frame by frame → samples [frames · samplesPerFrame, 1]. */
  build(graph: Graph, rows: Tensor, observe: Observe = observeNothing): Tensor {
    const quantised = rvqDecode(graph, this.#rvq, rows);
    observe("quantised", quantised);
    const product = graph.mulMat(this.#fc2.weight, quantised, { precise: true });
    const latents = observe("fc2", graph.add(product, this.#fc2.bias));
    return dacDecode(graph, this.#dac, graph.cont(graph.transpose(latents)), observe);
  }

  [Symbol.dispose](): void {
    this.#weights[Symbol.dispose]();
  }
}
