import { throwIfCancelled } from "@higgs-worker/base";
import { type Backend, Graph, type Tensor } from "@higgs-worker/ggml";
import type { TimeLayer } from "./receptive-field.ts";
import type { Observe } from "./layers.ts";
import { type Features, outputLength, placePiece, planPieces, sliceTime } from "./time-stage.ts";

/** Receives stages by name once they are computed, in the order of computation; values in ggml's memory order. */
export type StageListener = (stage: string, values: Float32Array) => void;

export interface GraphRunnerOptions {
  readonly signal?: AbortSignal | undefined;
  /** For comparisons. A stage that is computed in pieces is reported piece by piece. */
  readonly listener?: StageListener;
  /** Approximate scratch memory of one piece of work; less means more and smaller pieces. Default: 96 MB. */
  readonly pieceBytes?: number;
}

/** What the builder of a one-time graph works with. */
export interface GraphScope {
  readonly graph: Graph;
  readonly observe: Observe;
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
  readonly maxNodes: number;
  /** [time, channelsIn] → [timeOut, channelsOut] */
  build(scope: GraphScope, x: Tensor): Tensor;
}

const DEFAULT_PIECE_BYTES = 96e6;

/** Computes graphs that are used once, and keeps count of the memory that they needed. */
export class GraphRunner {
  readonly #backend: Backend;
  readonly #options: GraphRunnerOptions;
  #peakScratchBytes = 0;

  constructor(backend: Backend, options: GraphRunnerOptions = {}) {
    this.#backend = backend;
    this.#options = options;
  }

  /** Scratch memory of the largest graph so far. */
  get peakScratchBytes(): number {
    return this.#peakScratchBytes;
  }

  /** Approximate scratch memory that one piece of work may use. */
  get pieceBytes(): number {
    return this.#options.pieceBytes ?? DEFAULT_PIECE_BYTES;
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
    throwIfCancelled(this.#options.signal, "encode the audio");
    const inputs: [Tensor, Float32Array | Int32Array][] = [];
    const stages: [string, Tensor][] = [];
    using graph = new Graph(this.#backend.ggml, { maxNodes });
    const scope: GraphScope = {
      graph,
      input: (name, values, ...dimensions) => {
        const tensor = graph.input(name, values instanceof Int32Array ? "i32" : "f32", ...dimensions);
        inputs.push([tensor, values]);
        return tensor;
      },
      observe: (stage, tensor) => {
        if (this.#options.listener !== undefined) stages.push([stage, graph.output(tensor, stage)]);
        return tensor;
      },
    };
    const outputs = build(scope).map((tensor) => graph.output(tensor));
    graph.allocate(this.#backend);
    this.#peakScratchBytes = Math.max(this.#peakScratchBytes, graph.scratchBytes);
    for (const [tensor, values] of inputs) tensor.set(values);
    await this.#backend.computeAsync(graph);
    for (const [stage, tensor] of stages) this.#options.listener?.(stage, tensor.toFloat32());
    return outputs.map((tensor) => tensor.toFloat32());
  }

  /** Runs a stage over a whole clip, in pieces where it is long; the same up to the order of float additions. */
  async runStage(stage: TimeStage, input: Features): Promise<Features> {
    const time = outputLength(stage.layers, input.time);
    const channels = stage.channelsOut;
    const output = { channels, time, values: new Float32Array(channels * time) };
    const maxSteps = Math.floor(this.pieceBytes / stage.bytesPerStep);
    for (const piece of planPieces(stage.layers, input.time, maxSteps)) {
      const part = sliceTime(input, piece.start, piece.end);
      const [values = new Float32Array(0)] = await this.run(stage.maxNodes, (scope) => [
        stage.build(scope, scope.input("piece", part.values, part.time, part.channels)),
      ]);
      placePiece(output, piece, values);
    }
    return output;
  }
}
