import { LruCache } from "@higgs-worker/base";
import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { DecoderModel } from "./decoder-model.ts";
import type { WindowPlace } from "./row-carry.ts";

interface DecoderGraph {
  readonly graph: Graph;
  readonly size: number;
  /** Null when no frames go in. */
  readonly rows: Tensor | null;
  readonly pcm: Tensor;
  /** What comes from the window before and goes to the next; null for the whole audio. */
  readonly carry: { readonly before: Tensor; readonly after: Tensor } | null;
}

/** What a graph of any length needs, as so many frames of it. */
const FRAMES_PER_GRAPH = 16;

/** What a window makes. */
export interface DecodedWindow {
  readonly pcm: Float32Array;
  /** For the next window; null where windows know nothing of each other. */
  readonly carried: Float32Array | null;
}

/**
 * Static graphs, one for each number of frames and place in the audio, so that steady streaming allocates nothing. The least recently used
 * ones are freed when all together need more than that of `maxFrames` frames.
 */
export class DecoderGraphs implements Disposable {
  readonly #model: DecoderModel;
  readonly #maxFrames: number;
  readonly #graphs: LruCache<string, DecoderGraph>;

  constructor(model: DecoderModel, { maxFrames }: { maxFrames: number }) {
    this.#model = model;
    this.#maxFrames = maxFrames;
    this.#graphs = new LruCache({
      maxSize: maxFrames,
      sizeOf: ({ size }) => size,
      onDrop: ({ graph }) => graph[Symbol.dispose](),
    });
  }

  /** Bytes of scratch memory held by all graphs. */
  get scratchBytes(): number {
    return [...this.#graphs.values()].reduce((sum, { graph }) => sum + graph.scratchBytes, 0);
  }

  /**
   * Table rows i32 [frames · quantizers] → samples. One call at a time.
   *
   * @param carried of the window before; null for the first
   * @throws {GgmlError} `allocation-failed` when memory is too small
   * @throws {GgmlError} `compute-failed` when ggml reports a failure
   */
  async run(rows: Int32Array, place: WindowPlace, carried: Float32Array | null): Promise<DecodedWindow> {
    const { backend, quantizerCount } = this.#model;
    const graph = this.#graphFor(rows.length / quantizerCount, place);
    graph.rows?.set(rows);
    // ggml multiplies a single column in another order, and one more changes nothing else.
    if (rows.length === quantizerCount && graph.carry !== null) graph.rows?.set(rows, rows.byteLength);
    if (carried === null) graph.carry?.before.fill(0);
    else graph.carry?.before.set(carried);
    await backend.computeAsync(graph.graph);
    return { pcm: graph.pcm.toFloat32(), carried: graph.carry?.after.toFloat32() ?? null };
  }

  [Symbol.dispose](): void {
    this.#graphs.clear();
  }

  #graphFor(frames: number, place: WindowPlace): DecoderGraph {
    const key = `${frames} ${place.isFirst} ${place.isLast}`;
    const found = this.#graphs.get(key);
    if (found !== undefined) return found;
    // One that is larger than the limit is kept too, alone. Room is made before it is built: a small device has none for both.
    const size = Math.min(this.#maxFrames, frames + FRAMES_PER_GRAPH);
    this.#graphs.makeRoom(size);
    const graph = this.#build(frames, place, size);
    this.#graphs.set(key, graph);
    return graph;
  }

  #build(frames: number, place: WindowPlace, size: number): DecoderGraph {
    const { backend, quantizerCount, carriedCount } = this.#model;
    const graph = this.#model.newGraph(frames);
    try {
      const isWhole = place.isFirst && place.isLast;
      if (isWhole || carriedCount === null) {
        const rows = graph.input("table_rows", "i32", frames * quantizerCount);
        const pcm = graph.output(this.#model.build(graph, rows), "pcm");
        graph.allocate(backend);
        return { graph, size, rows, pcm, carry: null };
      }
      const rows = frames === 0 ? null : graph.input("table_rows", "i32", Math.max(2, frames) * quantizerCount);
      const before = graph.input("before", "f32", carriedCount);
      const after = graph.output(graph.blank("f32", carriedCount), "after");
      const pcm = graph.output(this.#model.buildWindow(graph, rows, frames, { place, before, after }), "pcm");
      graph.allocate(backend);
      return { graph, size, rows, pcm, carry: { before, after } };
    } catch (error) {
      graph[Symbol.dispose]();
      throw error;
    }
  }
}
