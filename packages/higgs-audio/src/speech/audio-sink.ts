import { concatenateSamples } from "@higgs-worker/base";
import type { SpeakOptions } from "./types.ts";

/** Gives audio to a listener in the order in which it was asked for, or keeps it for the end when there is none. */
export class AudioSink {
  readonly #onAudio: ((pcm: Float32Array) => void) | undefined;
  readonly #onGiven: (samples: number) => void;
  readonly #kept: Float32Array[] = [];
  #failure: { readonly error: unknown } | null = null;
  /** Ends with the last work that was asked for. */
  #tail: Promise<void> = Promise.resolve();
  /** Time in the codec so far. */
  decodeMs = 0;
  /** Moment of the first audio (`performance.now()`), null before. */
  firstAudioAtMs: number | null = null;
  /** Samples given or kept so far. */
  sampleCount = 0;

  /** @param onGiven told of samples that the listener is given */
  constructor({ onAudio }: Pick<SpeakOptions, "onAudio">, onGiven: (samples: number) => void = () => undefined) {
    this.#onAudio = onAudio;
    this.#onGiven = onGiven;
  }

  /** Whether the audio is given away while it is made. */
  get isStreaming(): boolean {
    return this.#onAudio !== undefined;
  }

  /**
   * Waits for `decoding` and for all that was asked for before, then lets `use` give the samples, part by part. An error of either is
   * thrown by the next `throwFailure`, and nothing is given after it.
   */
  take(decoding: Promise<Float32Array> | AsyncIterable<Float32Array>, use: (pcm: Float32Array) => void): void {
    const before = this.#tail;
    const isSingle = decoding instanceof Promise;
    // Its failure is dealt with when its turn comes.
    if (isSingle) decoding.catch(() => undefined);
    this.#tail = (async () => {
      try {
        await before;
        let startMs = performance.now();
        for await (const pcm of isSingle ? [decoding] : decoding) {
          this.decodeMs += performance.now() - startMs;
          if (this.#failure === null) use(pcm);
          startMs = performance.now();
        }
      } catch (error) {
        this.#failure ??= { error };
      }
    })();
  }

  /** Does something after all that was asked for before, unless that failed. */
  run(work: () => void): void {
    const before = this.#tail;
    this.#tail = (async () => {
      await before;
      if (this.#failure !== null) return;
      try {
        work();
      } catch (error) {
        this.#failure = { error };
      }
    })();
  }

  /** Gives samples, which may not be changed afterwards. */
  give(pcm: Float32Array): void {
    if (pcm.length === 0) return;
    this.sampleCount += pcm.length;
    if (this.#onAudio === undefined) {
      this.#kept.push(pcm);
      return;
    }
    this.firstAudioAtMs ??= performance.now();
    this.#onGiven(pcm.length);
    this.#onAudio(pcm);
  }

  /** Waits for what was asked for so far. Never rejects. */
  settle(): Promise<void> {
    return this.#tail;
  }

  /** @throws what went wrong so far, if anything did */
  throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** What was kept, together: the first audio when nobody listens. */
  kept(): Float32Array {
    this.firstAudioAtMs ??= performance.now();
    const [first] = this.#kept;
    return this.#kept.length === 1 && first !== undefined ? first : concatenateSamples(this.#kept);
  }
}
