import { throwIfCancelled } from "@higgs-worker/base";
import { type Backend, Graph, Scratch, type Tensor } from "@higgs-worker/ggml";
import type { TimeLayer } from "./receptive-field.ts";
import type { Observe } from "./layers.ts";
import { type Features, outputLength, placePiece, planPieces, sliceTime } from "./time-stage.ts";

/** Receives stages by name once they are computed, in the order of computation; values in ggml's memory order. */
export type StageListener = (stage: string, values: Float32Array) => void;

export interface GraphRunnerOptions {
  readonly signal?: AbortSignal | undefined;
  /** For comparisons. A stage that is computed in pieces is reported piece by piece. */
  readonly listener?: StageListener;
  /** Approximate scratch memory of one piece of work; less means more and smaller pieces. Default: 96 MB, 12 MB on a CPU. */
  readonly pieceBytes?: number;
}

/** What the builder of a one-time graph works with. */
export interface GraphScope {
  readonly graph: Graph;
  readonly observe: Observe;
  /** The same for [channels, time], which is reported as [time, channels]; only the first `channels` if given. */
  readonly observeRows: (stage: string, tensor: Tensor, channels?: number) => Tensor;
  /** Whether anything is observed. */
  readonly isObserved: boolean;
  /** Defines an input and the values that it is set to. */
  readonly input: (name: string, values: Float32Array | Int32Array, ...dimensions: readonly number[]) => Tensor;
}

/** A part of the encoder that only looks at a stretch of time, so that long clips can be computed in pieces. */
export interface TimeStage {
  /** Convolutions in order; residual units count with their longest path. */
  readonly layers: readonly TimeLayer[];
  readonly channelsOut: number;
  /** Approximate scratch memory of one input step; it determines the length of pieces. */
  readonly bytesPerStep: number;
  /** Room for the nodes of a graph for `time` inputs. */
  maxNodes(time: number): number;
  /** [channelsIn, time] → [channelsOut, timeOut] */
  build(scope: GraphScope, x: Tensor): Tensor;
}

/** Each piece costs a device the start of its operations; on a CPU, short ones stay in its cache. */
const DEVICE_PIECE_BYTES = 96e6;
const HOST_PIECE_BYTES = 12e6;

/** A graph that is built and has its memory. */
interface Prepared {
  readonly graph: Graph;
  readonly inputs: { readonly tensor: Tensor; values: Float32Array | Int32Array }[];
  readonly stages: readonly (readonly [string, Tensor])[];
  readonly outputs: readonly Tensor[];
}

/** Computes graphs one after the other in the same memory, and keeps count of how much it is. Dispose it after the last one. */
export class GraphRunner implements Disposable {
  readonly #backend: Backend;
  readonly #options: GraphRunnerOptions;
  readonly #scratch: Scratch;

  constructor(backend: Backend, options: GraphRunnerOptions = {}) {
    this.#backend = backend;
    this.#options = options;
    this.#scratch = new Scratch(backend);
  }

  /** Scratch memory of the largest graph so far. */
  get peakScratchBytes(): number {
    return this.#scratch.byteLength;
  }

  /** Approximate scratch memory that one piece of work may use. */
  get pieceBytes(): number {
    return this.#options.pieceBytes ?? (this.#backend.isHost ? HOST_PIECE_BYTES : DEVICE_PIECE_BYTES);
  }

  /** Whether stages are observed. */
  get isObserved(): boolean {
    return this.#options.listener !== undefined;
  }

  /** Reports a stage that was computed on the host. */
  observe(stage: string, values: Float32Array): void {
    this.#options.listener?.(stage, values);
  }

  /**
   * Builds a graph, computes it and reads its f32 results.
   *
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws {GgmlError} `allocation-failed` when memory is too small
   * @throws {GgmlError} `compute-failed` when ggml reports a failure
   */
  async run(maxNodes: number, build: (scope: GraphScope) => readonly Tensor[]): Promise<Float32Array[]> {
    const prepared = this.#prepare(maxNodes, build);
    using _graph = prepared.graph;
    return await this.#compute(prepared);
  }

  /** Runs a stage over a whole clip, in pieces where it is long; the same up to the order of float additions. */
  async runStage(stage: TimeStage, input: Features): Promise<Features> {
    const time = outputLength(stage.layers, input.time);
    const channels = stage.channelsOut;
    const output = { channels, time, values: new Float32Array(channels * time) };
    const maxSteps = Math.floor(this.pieceBytes / stage.bytesPerStep);
    let prepared: Prepared | null = null;
    try {
      for (const piece of planPieces(stage.layers, input.time, maxSteps)) {
        const part = sliceTime(input, piece.start, piece.end);
        // Pieces of one length share a graph.
        if (prepared?.inputs[0]?.values.length !== part.values.length) {
          prepared?.graph[Symbol.dispose]();
          prepared = this.#prepareStage(stage, part);
        }
        const [values = new Float32Array(0)] = await this.#compute(prepared, part.values);
        placePiece(output, piece, values);
      }
    } finally {
      prepared?.graph[Symbol.dispose]();
    }
    return output;
  }

  #prepareStage(stage: TimeStage, { values, channels, time }: Features): Prepared {
    return this.#prepare(stage.maxNodes(time), (scope) => [
      stage.build(scope, scope.input("piece", values, channels, time)),
    ]);
  }

  #prepare(maxNodes: number, build: (scope: GraphScope) => readonly Tensor[]): Prepared {
    throwIfCancelled(this.#options.signal, "encode the audio");
    const inputs: Prepared["inputs"] = [];
    const stages: [string, Tensor][] = [];
    const graph = new Graph(this.#backend.ggml, { maxNodes });
    try {
      const observe = (stage: string, tensor: Tensor): void => void stages.push([stage, graph.output(tensor, stage)]);
      const { isObserved } = this;
      const scope: GraphScope = {
        graph,
        isObserved,
        input: (name, values, ...dimensions) => {
          const tensor = graph.input(name, values instanceof Int32Array ? "i32" : "f32", ...dimensions);
          inputs.push({ tensor, values });
          return tensor;
        },
        observe: (stage, tensor) => {
          if (isObserved) observe(stage, tensor);
          return tensor;
        },
        observeRows: (stage, tensor, channels = tensor.shape[0]) => {
          if (isObserved) {
            const seen = graph.view(tensor, [channels, tensor.shape[1]], { strides: [tensor.strides[1]] });
            observe(stage, graph.cont(graph.transpose(seen)));
          }
          return tensor;
        },
      };
      const outputs = build(scope).map((tensor) => graph.output(tensor));
      graph.allocate(this.#backend, { scratch: this.#scratch });
      return { graph, inputs, stages, outputs };
    } catch (error) {
      graph[Symbol.dispose]();
      throw error;
    }
  }

  /** @param first other values for the first input */
  async #compute({ graph, inputs, stages, outputs }: Prepared, first?: Float32Array): Promise<Float32Array[]> {
    throwIfCancelled(this.#options.signal, "encode the audio");
    for (const [index, { tensor, values }] of inputs.entries()) tensor.set(index === 0 ? (first ?? values) : values);
    await this.#backend.computeAsync(graph);
    for (const [stage, tensor] of stages) this.#options.listener?.(stage, tensor.toFloat32());
    return outputs.map((tensor) => tensor.toFloat32());
  }

  [Symbol.dispose](): void {
    this.#scratch[Symbol.dispose]();
  }
}
