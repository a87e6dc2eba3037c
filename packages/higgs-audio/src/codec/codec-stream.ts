import { HiggsError, throwIfCancelled } from "@higgs-worker/base";
import { type CodeShape, toTableRows } from "./codes.ts";
import { concatenateSamples } from "./samples.ts";
import type { FrameContext } from "./receptive-field.ts";
import { type DecodeProgress, type DecodeWindow, emittedPart, firstNeededFrame, planWindow } from "./window-plan.ts";

export interface CodecCallOptions {
  /** Ends the call before its next computation; it rejects with CANCELLED. */
  readonly signal?: AbortSignal;
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

/**
 * Decodes frames as they come. It keeps only the frames that later ones need as context, and what it returns, put together,
 * is the whole decode up to the order of float additions. After an error, CANCELLED included, the stream is unusable.
 */
export class CodecStream {
  readonly #decoder: WindowDecoder;
  /** Window sizes of the first, second … computation; the last one stays. */
  readonly #windowFrames: readonly number[];
  #windowsDone = 0;
  /** Table rows from frame `#firstFrame` on. */
  #rows = new Int32Array(0);
  #firstFrame = 0;
  #received = 0;
  #emitted = 0;
  #isEnded = false;
  #isFailed = false;

  constructor(decoder: WindowDecoder, windowFrames: readonly number[]) {
    this.#decoder = decoder;
    this.#windowFrames = windowFrames;
  }

  /** Frames whose samples have been returned. */
  get emittedFrames(): number {
    return this.#emitted;
  }

  /**
   * Takes `codes[codebook][frame]` and resolves with the samples that are now certain, often none. Calls may overlap; they
   * are served in order. Throws INTERNAL for codes out of range or after `flush`, CANCELLED, or GgmlError.
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
    const sizes = this.#windowFrames;
    const windowFrames = sizes[Math.min(this.#windowsDone, sizes.length - 1)] ?? 0;
    return planWindow({ ...upTo, emitted: this.#emitted }, this.#decoder.context, windowFrames);
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
