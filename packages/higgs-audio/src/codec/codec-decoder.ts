import { HiggsError, LruCache, SerialQueue, throwIfCancelled } from "@higgs-worker/base";
import type { Backend, Graph, Tensor } from "@higgs-worker/ggml";
import {
  type CodecCallOptions,
  CodecStream,
  type CodecStreamOptions,
  emittedPart,
  planWindow,
  type WindowDecoder,
} from "./codec-stream.ts";
import type { CodecSource } from "./codec-weights.ts";
import { toTableRows } from "./codes.ts";
import { DecoderModel } from "./decoder-model.ts";
import type { FrameContext } from "./receptive-field.ts";

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
   * Table rows i32 [frames · quantizers] → samples [frames · samplesPerFrame]. One call at a time.
   *
   * @throws {GgmlError} `allocation-failed` when memory is too small
   * @throws {GgmlError} `compute-failed` when ggml reports a failure
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
    // Before it is built: a small device has no room for both.
    this.#graphs.makeRoom(this.#sizeOf(frames));
    const graph = this.#build(frames);
    this.#graphs.set(frames, graph);
    return graph;
  }

  #build(frames: number): DecoderGraph {
    const graph = this.#model.newGraph(frames);
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

export interface CodecDecoderOptions extends CodecCallOptions {
  /**
   * Longest piece of a whole decode in frames. Longer pieces waste less on context and hold more scratch memory: 0.4 MB a
   * frame at the released shape on a CPU, 1.2 MB elsewhere.
   */
  readonly maxWindowFrames?: number;
}

export const DEFAULT_MAX_WINDOW_FRAMES = 160;
const DEFAULT_STREAM_WINDOW_FRAMES = [24, 48, 72];

/** From codes to mono PCM (spec model §9.6, §9.4). The backend must outlive it. */
export class CodecDecoder implements Disposable {
  readonly #model: DecoderModel;
  readonly #graphs: DecoderGraphs;
  readonly #queue = new SerialQueue();
  readonly #maxWindowFrames: number;
  #isDisposed = false;

  private constructor(model: DecoderModel, maxWindowFrames: number) {
    this.#model = model;
    this.#maxWindowFrames = maxWindowFrames;
    this.#graphs = new DecoderGraphs(model, { maxFrames: maxWindowFrames });
  }

  /**
   * Reads the decoder's tensors (86 MB at the released shape) onto the backend.
   *
   * @throws {GgmlError} `allocation-failed` when memory is too small
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws what the checkpoint throws
   */
  static async load(backend: Backend, source: CodecSource, options: CodecDecoderOptions = {}): Promise<CodecDecoder> {
    const model = await DecoderModel.load(backend, source, options);
    return new CodecDecoder(model, options.maxWindowFrames ?? DEFAULT_MAX_WINDOW_FRAMES);
  }

  get sampleRateHz(): number {
    return this.#model.sampleRateHz;
  }

  /** 960 at the released shape. */
  get samplesPerFrame(): number {
    return this.#model.samplesPerFrame;
  }

  /** Frames of context on each side of a piece. */
  get context(): FrameContext {
    return this.#model.context;
  }

  /** Bytes of weights, and of scratch memory as of now, on the backend. */
  get memory(): { readonly weightBytes: number; readonly scratchBytes: number } {
    return { weightBytes: this.#model.weightBytes, scratchBytes: this.#graphs.scratchBytes };
  }

  /**
   * All of `codes[codebook][frame]` (ids 0 … codebookSize − 1) → `frames · samplesPerFrame` samples, not clamped. Long audio is
   * decoded in pieces, the same up to the order of float additions.
   *
   * @throws {HiggsError} INTERNAL when an id is out of range
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws {GgmlError} when a computation fails
   */
  async decode(codes: readonly Int32Array[], options: CodecCallOptions = {}): Promise<Float32Array> {
    const rows = toTableRows(codes, this.#model);
    const { quantizerCount, samplesPerFrame, context } = this.#model;
    const received = rows.length / quantizerCount;
    return this.#queue.run(async () => {
      const pcm = new Float32Array(received * samplesPerFrame);
      let emitted = 0;
      const plan = () => planWindow({ received, emitted, isEnded: true }, context, this.#maxWindowFrames);
      for (let window = plan(); window !== null; window = plan()) {
        throwIfCancelled(options.signal, "decode the audio");
        const piece = await this.#run(rows.subarray(window.start * quantizerCount, window.end * quantizerCount));
        pcm.set(emittedPart(piece, window, samplesPerFrame), window.emitFrom * samplesPerFrame);
        emitted = window.emitTo;
      }
      return pcm;
    });
  }

  /** A new stream; any number may be open, their computations take turns. */
  stream(options: Partial<CodecStreamOptions> = {}): CodecStream {
    return new CodecStream(this.#windows(), { windowFrames: DEFAULT_STREAM_WINDOW_FRAMES, ...options });
  }

  /** A stream in the pieces of `decode`: later and larger parts, bit for bit what `decode` returns, at its cost. */
  exactStream(): CodecStream {
    return this.stream({ windowFrames: [this.#maxWindowFrames], awaitsNextFrame: true });
  }

  /**
   * Frees weights and graphs.
   *
   * @throws {HiggsError} INTERNAL while a call is running: await it first
   */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    if (this.#queue.isBusy) {
      throw new HiggsError("INTERNAL", "dispose the codec decoder", "a decode is still running");
    }
    this.#isDisposed = true;
    this.#graphs[Symbol.dispose]();
    this.#model[Symbol.dispose]();
  }

  #windows(): WindowDecoder {
    return {
      shape: this.#model,
      context: this.#model.context,
      samplesPerFrame: this.#model.samplesPerFrame,
      exclusively: (work) => this.#queue.run(work),
      decodeRows: (rows) => this.#run(rows),
    };
  }

  #run(rows: Int32Array): Promise<Float32Array> {
    if (this.#isDisposed) throw new HiggsError("INTERNAL", "decode", "the codec decoder is disposed");
    return this.#graphs.run(rows);
  }
}
