import type { Graph, Tensor } from "@higgs-worker/ggml";
import { type Observe } from "@higgs-worker/higgs-audio/parts";
import { largestDifference } from "../frame/compare.ts";
import { failed, passed } from "../frame/outcome.ts";
import type { GoldenTensors } from "../frame/tensors.ts";
import type { GoldenOutcome } from "../frame/types.ts";

/** Stages that the golden files hold with the time fastest although the graph has the channels fastest. */
export type TransposedStages = ReadonlySet<string>;

/** Marks the stages that a golden file knows as outputs of a graph, in the order of computation, and compares them. */
export class StageRecorder {
  readonly #graph: Graph;
  readonly #expected: GoldenTensors;
  readonly #stages = new Map<string, Tensor>();

  constructor(graph: Graph, expected: GoldenTensors) {
    this.#graph = graph;
    this.#expected = expected;
  }

  /** Pass this to the code that builds the graph. */
  readonly observe: Observe = (stage, tensor) => {
    if (this.#expected.has(stage)) this.#stages.set(stage, this.#graph.output(tensor, stage));
    return tensor;
  };

  /**
   * Compares what was computed, stage after stage, and stops at the first that is off. The limit grows with the largest
   * value of a stage when that is above 1: rounding does too (the snake stages reach 30, where both sides are 1e-4 off a
   * computation in f64).
   */
  async compare(tolerance: number, transposed: TransposedStages): Promise<GoldenOutcome> {
    let worst = 0;
    for (const [stage, tensor] of this.#stages) {
      const values = tensor.toFloat32();
      const actual = transposed.has(stage) ? transpose(values, tensor.shape[0]) : values;
      const expected = await this.#expected.float32(stage);
      const limit = tolerance * expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
      const { largestError } = largestDifference(expected, actual);
      worst = Math.max(worst, largestError);
      if (!(largestError <= limit)) {
        const detail = `${stage}: off by ${largestError.toExponential(1)} (limit ${limit.toExponential(1)})`;
        return failed(detail, largestError);
      }
    }
    return passed(`${this.#stages.size} stages`, worst);
  }

  /** Names that the file has and the graph did not show. */
  missing(names: Iterable<string>): string[] {
    return [...names].filter((name) => !this.#stages.has(name));
  }
}

/** Row-major [rows, width] → [width, rows]. */
function transpose(values: Float32Array, width: number): Float32Array {
  const rows = values.length / width;
  return Float32Array.from(values, (_, index) => values[(index % rows) * width + Math.floor(index / rows)] ?? 0);
}
