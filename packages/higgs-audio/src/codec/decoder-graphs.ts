import { LruCache } from "@higgs-worker/base";
import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { DecoderModel } from "./decoder-model.ts";

interface DecoderGraph {
  readonly graph: Graph;
  readonly rows: Tensor;
  readonly pcm: Tensor;
}

/**
 * Static graphs, one for each number of frames, so that steady streaming allocates nothing. The least recently used ones
 * are freed when all together hold more than `maxFrames` (scratch memory grows with frames).
 */
export class DecoderGraphs implements Disposable {
  readonly #model: DecoderModel;
  readonly #sizeOf: (frames: number) => number;
  /** By frames. */
  readonly #graphs: LruCache<number, DecoderGraph>;

  constructor(model: DecoderModel, { maxFrames }: { maxFrames: number }) {
    this.#model = model;
    // One that is larger than the limit is kept too, alone.
    this.#sizeOf = (frames) => Math.min(frames, maxFrames);
    this.#graphs = new LruCache({
      maxSize: maxFrames,
      sizeOf: (_, frames) => this.#sizeOf(frames),
      onDrop: ({ graph }) => graph[Symbol.dispose](),
    });
  }

  /** Bytes of scratch memory held by all graphs. */
  get scratchBytes(): number {
    return [...this.#graphs.values()].reduce((sum, { graph }) => sum + graph.scratchBytes, 0);
  }

  /**
   * Table rows i32 [frames · quantisers] → samples [frames · samplesPerFrame]. One call at a time.
   * Throws GgmlError `allocation-failed` or `compute-failed`.
   */
  async run(rows: Int32Array): Promise<Float32Array> {
    const graph = this.#graphFor(rows.length / this.#model.quantizerCount);
    graph.rows.set(rows);
    await this.#model.backend.computeAsync(graph.graph);
    return graph.pcm.toFloat32();
  }

  [Symbol.dispose](): void {
    this.#graphs.clear();
  }

  #graphFor(frames: number): DecoderGraph {
    const found = this.#graphs.get(frames);
    if (found !== undefined) return found;
    // Before it is built: both would not fit into the memory of a small device.
    this.#graphs.makeRoom(this.#sizeOf(frames));
    const graph = this.#build(frames);
    this.#graphs.set(frames, graph);
    return graph;
  }

  #build(frames: number): DecoderGraph {
    const graph = this.#model.newGraph();
    try {
      const rows = graph.input("table_rows", "i32", frames * this.#model.quantizerCount);
      const pcm = graph.output(this.#model.build(graph, rows), "pcm");
      graph.allocate(this.#model.backend);
      return { graph, rows, pcm };
    } catch (error) {
      graph[Symbol.dispose]();
      throw error;
    }
  }
}
