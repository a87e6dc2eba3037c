import type { CodecDecoder } from "../codec/codec-decoder.ts";
import type { CodecStream } from "../codec/codec-stream.ts";
import type { SpeakOptions } from "./types.ts";

/** Where the frames of a request become audio. All its chunks are one piece of audio. */
export interface AudioOutput {
  /**
   * Takes the next frames, `codes[codebook][frame]`, as soon as they are final. Does not wait for the codec; an error of the
   * codec is thrown at the next call.
   */
  push(codes: readonly Int32Array[]): void;
  /** The whole audio after the last frame, or nothing if it was given in parts. `codes` are all frames. */
  finish(codes: readonly Int32Array[]): Promise<Float32Array>;
  /** Waits for running computations, after a request has failed. Never rejects. */
  settle(): Promise<void>;
  /** Time in the codec so far. */
  readonly decodeMs: number;
  /** Moment of the first audio (`performance.now()`), null before. */
  readonly firstAudioAtMs: number | null;
}

type Options = Pick<SpeakOptions, "signal" | "onAudio" | "audioParts">;
type CallOptions = Pick<SpeakOptions, "signal">;

/** With `onAudio` the audio is decoded while it is made, otherwise once at the end. */
export function createAudioOutput(decoder: CodecDecoder, { signal, onAudio, audioParts }: Options): AudioOutput {
  if (onAudio === undefined) return new WholeAudio(decoder, { signal });
  const stream = audioParts === "exact" ? decoder.exactStream() : decoder.stream();
  return new StreamedAudio(stream, onAudio, { signal });
}

class WholeAudio implements AudioOutput {
  readonly #decoder: CodecDecoder;
  readonly #options: CallOptions;
  decodeMs = 0;
  firstAudioAtMs: number | null = null;

  constructor(decoder: CodecDecoder, options: CallOptions) {
    this.#decoder = decoder;
    this.#options = options;
  }

  push(): void {
    // The frames come all together in the end.
  }

  async finish(codes: readonly Int32Array[]): Promise<Float32Array> {
    const startMs = performance.now();
    const pcm = await this.#decoder.decode(codes, this.#options);
    this.firstAudioAtMs = performance.now();
    this.decodeMs = this.firstAudioAtMs - startMs;
    return pcm;
  }

  async settle(): Promise<void> {
    // A decode ends before `finish` rejects.
  }
}

class StreamedAudio implements AudioOutput {
  readonly #stream: CodecStream;
  readonly #onAudio: (pcm: Float32Array) => void;
  readonly #options: CallOptions;
  #failure: { readonly error: unknown } | null = null;
  /** Ends with the last part that was asked for. */
  #tail: Promise<void> = Promise.resolve();
  decodeMs = 0;
  firstAudioAtMs: number | null = null;

  constructor(stream: CodecStream, onAudio: (pcm: Float32Array) => void, options: CallOptions) {
    this.#stream = stream;
    this.#onAudio = onAudio;
    this.#options = options;
  }

  push(codes: readonly Int32Array[]): void {
    this.#throwFailure();
    this.#emit(this.#stream.push(codes, this.#options));
  }

  async finish(): Promise<Float32Array> {
    this.#emit(this.#stream.flush(this.#options));
    await this.#tail;
    this.#throwFailure();
    return new Float32Array(0);
  }

  settle(): Promise<void> {
    return this.#tail;
  }

  /** The stream computes in the order of the calls, and this keeps it. */
  #emit(decoding: Promise<Float32Array>): void {
    const before = this.#tail;
    this.#tail = (async () => {
      try {
        await before;
        const startMs = performance.now();
        const pcm = await decoding;
        if (this.#failure === null && pcm.length > 0) this.#give(pcm, startMs);
      } catch (error) {
        this.#failure ??= { error };
      }
    })();
  }

  #give(pcm: Float32Array, startMs: number): void {
    const nowMs = performance.now();
    this.decodeMs += nowMs - startMs;
    this.firstAudioAtMs ??= nowMs;
    this.#onAudio(pcm);
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
