import { concatenateSamples, HiggsError, throwIfCancelled } from "@higgs-worker/base";
import { type CodeShape, toTableRows } from "./codes.ts";
import type { FrameContext } from "./receptive-field.ts";

/** How far a decode has come, in frames from its start. */
export interface DecodeProgress {
  readonly received: number;
  /** Frames whose samples are out; at most `received`. */
  readonly emitted: number;
  /** No more frames will come: the last one received is the end of the audio. */
  readonly isEnded: boolean;
  /** A window that might be the last one waits for the frame after it, so that windows are those of a whole decode. */
  readonly awaitsNextFrame?: boolean;
}

/** One computation: frames [start, end) go in, the samples of frames [emitFrom, emitTo) come out. */
export interface DecodeWindow {
  readonly start: number;
  readonly end: number;
  readonly emitFrom: number;
  readonly emitTo: number;
}

/** Last windows are rounded up to a multiple of this, so that few different graphs are needed. */
const LAST_WINDOW_STEP = 8;

/**
 * The next window of at most `windowFrames` frames, or null when there is nothing to do yet. Frames at a cut have all their
 * context inside the window; at the true start and end there is none, because there the reference pads with zeros (spec model
 * §9.7).
 *
 * @throws {RangeError} when the window is too short to advance
 */
export function planWindow(progress: DecodeProgress, context: FrameContext, windowFrames: number): DecodeWindow | null {
  if (windowFrames <= context.left + context.right) {
    throw new RangeError(
      `Cannot decode in windows of ${windowFrames} frames: the context alone takes ${context.left + context.right}`,
    );
  }
  const { received, emitted, isEnded, awaitsNextFrame = false } = progress;
  if (emitted >= received) return null;
  const start = Math.max(0, emitted - context.left);
  if (isEnded && received - start <= windowFrames) {
    const rounded = Math.ceil((received - start) / LAST_WINDOW_STEP) * LAST_WINDOW_STEP;
    const frames = Math.min(received, windowFrames, rounded);
    return { start: received - frames, end: received, emitFrom: emitted, emitTo: received };
  }
  const end = start + windowFrames;
  if (received < end || (awaitsNextFrame && !isEnded && received === end)) return null;
  return { start, end, emitFrom: emitted, emitTo: end - context.right };
}

/** The first frame that a later window may still ask for; what lies before it can be forgotten. */
export function firstNeededFrame(emitted: number, context: FrameContext): number {
  return Math.max(0, emitted - context.left - LAST_WINDOW_STEP);
}

/** Of a window's samples, those that it was computed for; a view. */
export function emittedPart(pcm: Float32Array, window: DecodeWindow, samplesPerFrame: number): Float32Array {
  const { start, emitFrom, emitTo } = window;
  return pcm.subarray((emitFrom - start) * samplesPerFrame, (emitTo - start) * samplesPerFrame);
}

export interface CodecCallOptions {
  /** Ends the call before its next computation; it rejects with CANCELLED. */
  readonly signal?: AbortSignal | undefined;
}

/** What a stream needs of the decoder that made it. */
export interface WindowDecoder {
  readonly shape: CodeShape;
  readonly context: FrameContext;
  readonly samplesPerFrame: number;
  /** Runs `work` when the decoder is free, in the order of the calls. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** Table rows of some frames → their samples. Only inside `exclusively`. */
  decodeRows(rows: Int32Array): Promise<Float32Array>;
}

export interface CodecStreamOptions {
  /**
   * Window sizes in frames of the first, second … computation; the last one stays. Each yields its size less the context on
   * both sides (the first: on one). Small ones first give audio early, large ones later cost less.
   */
  readonly windowFrames: readonly number[];
  /** With the one window size of a whole decode, the samples are bit for bit those of a whole decode. */
  readonly awaitsNextFrame?: boolean;
}

/**
 * Decodes frames as they come. It keeps only the frames that later ones need as context, and what it returns, put together,
 * is the whole decode up to the order of float additions. After an error, CANCELLED included, the stream is unusable.
 */
export class CodecStream {
  readonly #decoder: WindowDecoder;
  readonly #options: CodecStreamOptions;
  #windowsDone = 0;
  /** Table rows from frame `#firstFrame` on. */
  #rows = new Int32Array(0);
  #firstFrame = 0;
  #received = 0;
  #emitted = 0;
  #isEnded = false;
  #isFailed = false;

  constructor(decoder: WindowDecoder, options: CodecStreamOptions) {
    this.#decoder = decoder;
    this.#options = options;
  }

  /** Frames whose samples have been returned. */
  get emittedFrames(): number {
    return this.#emitted;
  }

  /**
   * Takes `codes[codebook][frame]` and resolves with the samples that are now certain, often none. Calls may overlap; they are
   * served in order.
   *
   * @throws {HiggsError} INTERNAL when codes are out of range, or after `flush`
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws {GgmlError} when a computation fails
   */
  async push(codes: readonly Int32Array[], options: CodecCallOptions = {}): Promise<Float32Array> {
    if (this.#isEnded) throw new HiggsError("INTERNAL", "decode more frames", "the stream is flushed");
    this.#append(toTableRows(codes, this.#decoder.shape));
    return this.#drain({ received: this.#received, isEnded: false }, options);
  }

  /** Ends the audio at the last frame taken and resolves with the rest of the samples. */
  async flush(options: CodecCallOptions = {}): Promise<Float32Array> {
    this.#isEnded = true;
    return this.#drain({ received: this.#received, isEnded: true }, options);
  }

  #append(rows: Int32Array): void {
    const joined = new Int32Array(this.#rows.length + rows.length);
    joined.set(this.#rows);
    joined.set(rows, this.#rows.length);
    this.#rows = joined;
    this.#received += rows.length / this.#decoder.shape.quantizerCount;
  }

  /** `upTo` is what was known when the call was made, so that overlapping calls each return their own part. */
  #drain(upTo: Pick<DecodeProgress, "received" | "isEnded">, { signal }: CodecCallOptions): Promise<Float32Array> {
    return this.#decoder.exclusively(async () => {
      if (this.#isFailed) throw new HiggsError("INTERNAL", "decode more frames", "the stream failed before");
      try {
        const parts: Float32Array[] = [];
        for (let window = this.#plan(upTo); window !== null; window = this.#plan(upTo)) {
          throwIfCancelled(signal, "decode the audio");
          parts.push(await this.#decode(window));
        }
        return concatenateSamples(parts);
      } catch (error) {
        this.#isFailed = true;
        throw error;
      }
    });
  }

  #plan(upTo: Pick<DecodeProgress, "received" | "isEnded">): DecodeWindow | null {
    const { windowFrames: sizes, awaitsNextFrame = false } = this.#options;
    const windowFrames = sizes[Math.min(this.#windowsDone, sizes.length - 1)] ?? 0;
    const progress = { ...upTo, emitted: this.#emitted, awaitsNextFrame };
    return planWindow(progress, this.#decoder.context, windowFrames);
  }

  async #decode(window: DecodeWindow): Promise<Float32Array> {
    const { samplesPerFrame, shape } = this.#decoder;
    const at = (frame: number): number => (frame - this.#firstFrame) * shape.quantizerCount;
    const pcm = await this.#decoder.decodeRows(this.#rows.slice(at(window.start), at(window.end)));
    this.#emitted = window.emitTo;
    this.#windowsDone += 1;
    this.#forgetBefore(firstNeededFrame(this.#emitted, this.#decoder.context));
    return emittedPart(pcm, window, samplesPerFrame);
  }

  #forgetBefore(frame: number): void {
    this.#rows = this.#rows.slice((frame - this.#firstFrame) * this.#decoder.shape.quantizerCount);
    this.#firstFrame = frame;
  }
}
