import { HiggsError } from "@higgs-worker/base";
import type { Backend } from "@higgs-worker/ggml";
import {
  type CodecCallOptions,
  CodecStream,
  type StreamListener,
  type WindowDecoder,
  type WindowSizes,
  type WindowState,
} from "./codec-stream.ts";
import type { CodecSource } from "./codec-weights.ts";
import { framesIn } from "./codes.ts";
import { DeadlineQueue } from "./deadline-queue.ts";
import { DecoderGraphs } from "./decoder-graphs.ts";
import { DecoderModel } from "./decoder-model.ts";
import { Playback, Playbacks } from "./playback.ts";
import type { FrameContext } from "./receptive-field.ts";
import { CarriedWindowPlan, OverlappingWindowPlan, type WindowPlan } from "./window-plan.ts";
import { LARGEST_WINDOW_FRAMES, rampedFrames } from "./window-ramp.ts";

export interface CodecDecoderOptions extends CodecCallOptions {
  /**
   * Longest piece of a whole decode in frames. Longer pieces hold more scratch memory: 0.4 MB a frame at the released shape on a CPU, 1.2 MB
   * elsewhere, where they also waste less on context.
   */
  readonly maxWindowFrames?: number;
}

/** Where pieces cost nothing, small ones hold up nobody. */
const DEFAULT_CARRIED_FRAMES = LARGEST_WINDOW_FRAMES;
const DEFAULT_OVERLAPPING_FRAMES = 160;
/** What graphs are kept together, in frames of scratch memory. */
export const KEPT_GRAPH_FRAMES = 192;

export interface CodecStreamOptions {
  /**
   * Frames that go into the first, second … computation; the last one stays. By default they follow from what the listener has and what
   * waits.
   */
  readonly windowFrames?: readonly number[] | undefined;
  /** Who listens; by default somebody who hears all that the stream returns. */
  readonly playback?: Playback | undefined;
}

/** From codes to mono PCM (spec model §9.6, §9.4). The backend must outlive it. */
export class CodecDecoder implements Disposable {
  readonly #model: DecoderModel;
  readonly #graphs: DecoderGraphs;
  readonly #windows: WindowPlan;
  readonly #maxWindowFrames: number;
  readonly #queue = new DeadlineQueue();
  readonly #playbacks = new Playbacks();
  #isDisposed = false;

  private constructor(model: DecoderModel, maxWindowFrames: number | undefined) {
    this.#model = model;
    const isCarried = model.carriedCount !== null;
    this.#windows = new (isCarried ? CarriedWindowPlan : OverlappingWindowPlan)(model.context);
    this.#maxWindowFrames = maxWindowFrames ?? (isCarried ? DEFAULT_CARRIED_FRAMES : DEFAULT_OVERLAPPING_FRAMES);
    const maxFrames = maxWindowFrames ?? KEPT_GRAPH_FRAMES;
    this.#graphs = new DecoderGraphs(model, { maxFrames });
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
    return new CodecDecoder(model, options.maxWindowFrames);
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
    // Nobody listens: it is due when it would be over.
    const seconds = (framesIn(codes) * this.samplesPerFrame) / this.sampleRateHz;
    const stream = this.#exactStream({ deadlineMs: performance.now() + seconds * 1000 });
    stream.add(codes);
    return await stream.flush(options);
  }

  /** Somebody begins to listen to what streams give; `end` it. */
  openPlayback(): Playback {
    return this.#playbacks.open();
  }

  /** A new stream; any number may be open, their computations take turns, and what is due first comes first. */
  stream({ windowFrames, playback }: CodecStreamOptions = {}): CodecStream {
    const listener = playback ?? new Playback(() => performance.now());
    const sizes = windowFrames === undefined ? this.#rampedSizes(listener) : this.#fixedSizes(windowFrames, false);
    return this.#streamOf(sizes, playback ?? hearingAll(listener));
  }

  /** A stream in the pieces of `decode`: later and larger parts, bit for bit what `decode` returns, at its cost. */
  exactStream(): CodecStream {
    return this.#exactStream(hearingAll(new Playback(() => performance.now())));
  }

  #exactStream(listener: StreamListener): CodecStream {
    return this.#streamOf(this.#fixedSizes([this.#maxWindowFrames], true), listener);
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

  #streamOf(sizes: WindowSizes, listener: StreamListener): CodecStream {
    const decoder: WindowDecoder = {
      shape: this.#model,
      samplesPerFrame: this.#model.samplesPerFrame,
      sampleRateHz: this.#model.sampleRateHz,
      windows: this.#windows,
      inTurn: (deadlineMs, work) => this.#queue.run(deadlineMs, work),
      decodeWindow: (rows, { place }, carried) => {
        if (this.#isDisposed) throw new HiggsError("INTERNAL", "decode", "the codec decoder is disposed");
        return this.#graphs.run(rows, place, carried);
      },
    };
    return new CodecStream(decoder, sizes, listener);
  }

  #fixedSizes(windowFrames: readonly number[], awaitsNextFrame: boolean): WindowSizes {
    const next = ({ index, takenFrames }: WindowState): number =>
      this.#windows.newFrames(windowFrames[Math.min(index, windowFrames.length - 1)] ?? 0, takenFrames);
    return {
      awaitsNextFrame,
      next: (state) => (state.waitingFrames >= next(state) ? next(state) : 0),
      nextAtEnd: next,
    };
  }

  #rampedSizes(playback: Playback): WindowSizes {
    const { fewestFirstFrames, fewestFrames } = this.#windows;
    return {
      awaitsNextFrame: false,
      next: ({ index, waitingFrames, secondsPerFrame }) =>
        rampedFrames({
          waitingFrames,
          fewestFrames: index === 0 ? fewestFirstFrames : fewestFrames,
          isFirst: index === 0,
          aheadSeconds: playback.aheadSeconds,
          secondsPerFrame,
          others: Math.max(0, this.#playbacks.count - 1),
        }),
      nextAtEnd: () => LARGEST_WINDOW_FRAMES,
    };
  }
}

/** Somebody who hears all that a stream returns. */
function hearingAll(playback: Playback): StreamListener {
  return {
    get deadlineMs() {
      return playback.deadlineMs;
    },
    onSamples: (seconds) => playback.give(seconds),
  };
}
