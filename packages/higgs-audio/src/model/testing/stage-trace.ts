import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { GraphObserver } from "../layers.ts";

/** Keeps the rows of each stage of the last computations. */
export class StageTrace implements GraphObserver {
  readonly #tensors = new Map<Graph, Map<string, Tensor>>();
  readonly #rows = new Map<string, Map<number, Float32Array>>();
  #last = new Map<string, Float32Array>();

  built(graph: Graph, stage: string, tensor: Tensor): void {
    const tensors = this.#tensors.get(graph) ?? new Map<string, Tensor>();
    this.#tensors.set(graph, tensors.set(stage, graph.output(tensor)));
  }

  computed(graph: Graph, positions: Int32Array): void {
    this.#last = new Map();
    for (const [stage, tensor] of this.#tensors.get(graph) ?? []) {
      const values = tensor.toFloat32();
      this.#last.set(stage, values);
      const rows = this.#rows.get(stage) ?? new Map<number, Float32Array>();
      this.#rows.set(stage, rows);
      const [width] = tensor.shape;
      for (const [row, position] of positions.entries()) {
        rows.set(position, values.slice(row * width, (row + 1) * width));
      }
    }
  }

  /** The result of a stage for a position of the last sequence. */
  row(stage: string, position: number): Float32Array {
    return this.#rows.get(stage)?.get(position) ?? new Float32Array(0);
  }

  /** All rows of a stage in the last computation, in the order of the graph. */
  last(stage: string): Float32Array {
    return this.#last.get(stage) ?? new Float32Array(0);
  }
}
