import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { GraphObserver } from "./layers.ts";

/** Keeps the rows of each stage of the last prompt and of the last computation, for comparisons. */
export class StageTrace implements GraphObserver {
  readonly #tensors = new Map<Graph, Map<string, Tensor>>();
  /** By stage and position. */
  readonly #rows = new Map<string, Float32Array[]>();
  #last = new Map<string, Float32Array>();

  built(graph: Graph, stage: string, tensor: Tensor): void {
    const tensors = this.#tensors.get(graph) ?? new Map<string, Tensor>();
    this.#tensors.set(graph, tensors.set(stage, graph.output(tensor)));
  }

  computed(graph: Graph, positions: Int32Array): void {
    this.#last = new Map();
    for (const [stage, tensor] of this.#tensors.get(graph) ?? []) {
      const [width] = tensor.shape;
      // A graph may have further rows that belong to nobody.
      const values = tensor.toFloat32().subarray(0, width * positions.length);
      this.#last.set(stage, values);
      const rows = this.#rows.get(stage) ?? [];
      this.#rows.set(stage, rows);
      for (const [row, position] of positions.entries()) rows[position] = values.slice(row * width, (row + 1) * width);
    }
  }

  /** A prompt's stage, one row for each position. */
  rows(stage: string): readonly Float32Array[] {
    return this.#rows.get(stage) ?? [];
  }

  /** A stage in the last computation, in the order of its graph's rows. */
  last(stage: string): Float32Array {
    return this.#last.get(stage) ?? new Float32Array(0);
  }
}
