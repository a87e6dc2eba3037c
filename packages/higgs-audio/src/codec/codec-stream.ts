import { concatenateSamples, HiggsError, throwIfCancelled } from "@higgs-worker/base";
import { type CodeShape, toTableRows } from "./codes.ts";
import type { DecodedWindow } from "./decoder-graphs.ts";
import type { DecodeWindow, WindowPlan } from "./window-plan.ts";
import { FramePace } from "./window-ramp.ts";

export interface CodecCallOptions {
  /** Ends the call before its next computation; it rejects with CANCELLED. */
  readonly signal?: AbortSignal | undefined;
}

/** What a stream needs of the decoder that made it. */
export interface WindowDecoder {
  readonly shape: CodeShape;
  readonly samplesPerFrame: number;
  readonly sampleRateHz: number;
  readonly windows: WindowPlan;
  /** Runs `work` when the decoder is free and nothing else is due earlier. */
  inTurn<T>(deadlineMs: () => number, work: () => Promise<T>): Promise<T>;
  /** Table rows of a window → its samples. Only inside `inTurn`. */
  decodeWindow(rows: Int32Array, window: DecodeWindow, carried: Float32Array | null): Promise<DecodedWindow>;
}

/** Decides the sizes of a stream's windows. */
export interface WindowSizes {
  /** Whether a window waits for a frame behind it, which tells that it is not the last. */
  readonly awaitsNextFrame: boolean;
  /** New frames of the next window; 0 to wait for more. */
  next(state: WindowState): number;
  /** The same when no more frames come: at most so many. */
  nextAtEnd(state: WindowState): number;
}

/** Before the window with this index (0 for the first): frames that are in windows, and frames behind them. */
export interface WindowState {
  readonly index: number;
  readonly takenFrames: number;
  readonly waitingFrames: number;
  /** Seconds that a frame takes at present. */
  readonly secondsPerFrame: number;
}

/** Who listens to a stream: `Playback` is one. */
export interface StreamListener {
  /** When the next window is due. */
  readonly deadlineMs: number;
  /** Told of samples when they are returned. */
  readonly onSamples?: (seconds: number) => void;
}

/**
 * Decodes frames as they come. It keeps only the frames that later ones need as context, and what it returns, put together,
 * is the whole decode up to the order of float additions. After an error, CANCELLED included, the stream is unusable.
 */
export class CodecStream {
  readonly #decoder: WindowDecoder;
  readonly #sizes: WindowSizes;
  readonly #listener: StreamListener;
  readonly #pace = new FramePace(() => performance.now());
  /** Table rows from frame `#firstFrame` on. */
  #rows = new Int32Array(0);
  #firstFrame = 0;
  #received = 0;
  /** Where the last window ended. */
  #taken = 0;
  #windowsDone = 0;
  #carried: Float32Array | null = null;
  #emittedSamples = 0;
  #state: "open" | "ended" | "done" | "dropped" | "failed" = "open";
  /** A turn is asked for and has not begun: it will take the frames that are there then. */
  #isAsking = false;

  constructor(decoder: WindowDecoder, sizes: WindowSizes, listener: StreamListener) {
    this.#decoder = decoder;
    this.#sizes = sizes;
    this.#listener = listener;
  }

  /** Frames whose samples have been returned, whole ones. */
  get emittedFrames(): number {
    return Math.floor(this.#emittedSamples / this.#decoder.samplesPerFrame);
  }

  /**
   * Takes `codes[codebook][frame]`.
   *
   * @throws {HiggsError} INTERNAL when codes are out of range, or after `flush`
   */
  add(codes: readonly Int32Array[]): void {
    if (this.#state === "ended" || this.#state === "done") {
      throw new HiggsError("INTERNAL", "decode more frames", "the stream is flushed");
    }
    const rows = toTableRows(codes, this.#decoder.shape);
    const joined = new Int32Array(this.#rows.length + rows.length);
    joined.set(this.#rows);
    joined.set(rows, this.#rows.length);
    this.#rows = joined;
    const frames = rows.length / this.#decoder.shape.quantizerCount;
    this.#received += frames;
    this.#pace.add(frames);
  }

  /**
   * Decodes one window in its turn, of the frames that are there when the turn comes. Null when no window is due, or when an earlier call
   * waits for its turn. Several promises resolve in the order of the calls.
   *
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws {HiggsError} INTERNAL after a failure
   * @throws {GgmlError} when a computation fails
   */
  decodeDue({ signal }: CodecCallOptions = {}): Promise<Float32Array> | null {
    if (this.#isAsking || (this.#state !== "failed" && this.#nextWindow() === null)) return null;
    this.#isAsking = true;
    const askedAtMs = performance.now();
    return this.#decoder.inTurn(
      () => this.#listener.deadlineMs,
      async () => {
        this.#isAsking = false;
        if (this.#state === "failed")
          throw new HiggsError("INTERNAL", "decode more frames", "the stream failed before");
        const window = this.#nextWindow();
        if (window === null) return new Float32Array(0);
        try {
          throwIfCancelled(signal, "decode the audio");
          const part = await this.#decode(window);
          this.#pace.noteWindow(window.end - window.start, performance.now() - askedAtMs);
          return part;
        } catch (error) {
          this.#state = "failed";
          throw error;
        }
      },
    );
  }

  /** `add` and `decodeDue`: the samples of one window, often none. */
  async push(codes: readonly Int32Array[], options: CodecCallOptions = {}): Promise<Float32Array> {
    this.add(codes);
    return (await this.decodeDue(options)) ?? new Float32Array(0);
  }

  /** Ends the audio at the last frame taken and gives the rest of the samples, window by window. */
  async *rest(options: CodecCallOptions = {}): AsyncGenerator<Float32Array> {
    if (this.#state === "open") this.#state = "ended";
    for (let part = this.#rest(options); part !== null; part = this.#rest(options)) yield await part;
  }

  /** All of `rest`. */
  async flush(options: CodecCallOptions = {}): Promise<Float32Array> {
    const parts: Float32Array[] = [];
    for await (const part of this.rest(options)) parts.push(part);
    return concatenateSamples(parts);
  }

  /** Forgets the frames that are not decoded: nothing more comes. */
  drop(): void {
    this.#state = "dropped";
    this.#rows = new Int32Array(0);
    this.#carried = null;
  }

  /** A call that waits for its turn takes a window of its own, so another one is asked for behind it. */
  #rest(options: CodecCallOptions): Promise<Float32Array> | null {
    if (!this.#isAsking) return this.decodeDue(options);
    return this.#decoder.inTurn(
      () => this.#listener.deadlineMs,
      async () => new Float32Array(0),
    );
  }

  #nextWindow(): DecodeWindow | null {
    const isEnded = this.#state === "ended";
    if ((!isEnded && this.#state !== "open") || this.#received === 0) return null;
    const sizes = this.#sizes;
    const takenFrames = this.#taken;
    const isHeldBack = sizes.awaitsNextFrame && !isEnded;
    const waitingFrames = this.#received - takenFrames - (isHeldBack ? 1 : 0);
    const { secondsPerFrame } = this.#pace;
    const state = { index: this.#windowsDone, takenFrames, waitingFrames, secondsPerFrame };
    const newFrames = isEnded ? sizes.nextAtEnd(state) : sizes.next(state);
    if (newFrames === 0) return null;
    return this.#decoder.windows.window({ received: this.#received, taken: takenFrames, isEnded }, newFrames);
  }

  async #decode(window: DecodeWindow): Promise<Float32Array> {
    const { samplesPerFrame, sampleRateHz, shape, windows } = this.#decoder;
    const at = (frame: number): number => (frame - this.#firstFrame) * shape.quantizerCount;
    const rows = this.#rows.slice(at(window.start), at(window.end));
    this.#taken = window.end;
    this.#windowsDone += 1;
    const isEnd = this.#state === "ended" && window.end === this.#received;
    const { pcm, carried } = await this.#decoder.decodeWindow(rows, window, this.#carried);
    // It may have been dropped meanwhile.
    if (this.#state === "dropped") return new Float32Array(0);
    if (isEnd) this.#state = "done";
    this.#carried = isEnd ? null : carried;
    this.#forgetBefore(windows.firstNeededFrame(window.end));
    const { emitted } = window;
    const part = emitted === null ? pcm : pcm.subarray(emitted.from * samplesPerFrame, emitted.to * samplesPerFrame);
    this.#emittedSamples += part.length;
    this.#listener.onSamples?.(part.length / sampleRateHz);
    return part;
  }

  #forgetBefore(frame: number): void {
    this.#rows = this.#rows.slice((frame - this.#firstFrame) * this.#decoder.shape.quantizerCount);
    this.#firstFrame = frame;
  }
}
