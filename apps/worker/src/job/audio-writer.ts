import { AudioMeter, type AudioMeasures, type OutputStream } from "@higgs-worker/audio";
import { HiggsError, SerialQueue } from "@higgs-worker/base";
import type { AudioSpool } from "../storage/spool/audio-spool.ts";

export interface AudioWriterOptions {
  /** Begins the file; null measures the audio only. */
  readonly openStream: (() => Promise<OutputStream>) | null;
  /** Of the samples that are written. */
  readonly sampleRateHz: number;
  readonly spool: AudioSpool;
  /** Called when the spool has grown. */
  readonly onGrown: () => void;
  /** Called once when the audio cannot be written, so that no more of it is made. */
  readonly onFailure: () => void;
}

export interface WrittenAudio {
  /** Of the samples that were written. */
  readonly measures: AudioMeasures;
  /** Samples that a decoder of the file gets; null without a file. */
  readonly sampleCount: number | null;
  /** The loudness that the file was brought to; null without, or when there was none to measure. */
  readonly loudnessLufs: number | null;
}

/** Samples encoded at a time, to bound what the encoder copies. */
const BLOCK_SAMPLES = 65_536;

/** Turns samples into the file in the spool while they are made, and measures them. */
export class AudioWriter {
  readonly #options: AudioWriterOptions;
  readonly #meter: AudioMeter;
  readonly #queue = new SerialQueue();
  #stream: OutputStream | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(options: AudioWriterOptions) {
    this.#options = options;
    this.#meter = new AudioMeter(options.sampleRateHz);
  }

  /** Takes the next samples, which must not be changed afterwards; returns at once. */
  write(pcm: Float32Array): void {
    void this.#queue.run(async () => {
      if (this.#failure !== null) return;
      try {
        await this.#encode(pcm);
      } catch (error) {
        this.#failure = { error };
        this.#options.onFailure();
      }
    });
  }

  /** @throws what went wrong so far, if anything did */
  throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  /**
   * Completes the file. `chapterSeconds` are where its chapters begin in the samples.
   *
   * @throws {HiggsError} GENERATION_FAILED when there is no audio, or it is not audio; RESULT_TOO_LARGE when the format cannot
   * hold it
   */
  async end(chapterSeconds: readonly number[]): Promise<WrittenAudio> {
    return await this.#queue.run(async () => {
      this.throwFailure();
      const { measures } = this.#meter;
      if (measures.sampleCount === 0)
        throw new HiggsError("GENERATION_FAILED", "make audio", "the model stopped before the first frame");
      if (this.#stream === null) return { measures, sampleCount: null, loudnessLufs: null };
      return { measures, ...(await this.#endStream(this.#stream, chapterSeconds)) };
    });
  }

  /** Waits for what runs and frees the encoder. Never rejects. */
  async close(): Promise<void> {
    await this.#queue.run(async () => this.#stream?.close());
  }

  async #endStream(
    stream: OutputStream,
    chapterSeconds: readonly number[],
  ): Promise<Pick<WrittenAudio, "sampleCount" | "loudnessLufs">> {
    const { spool, onGrown } = this.#options;
    const { tail, head, sampleCount, loudnessLufs } = await stream.end(chapterSeconds);
    await spool.append(tail);
    if (head !== null) spool.setHead(head);
    onGrown();
    return { sampleCount, loudnessLufs };
  }

  async #encode(pcm: Float32Array): Promise<void> {
    if (pcm.length === 0) return;
    const { openStream, spool, onGrown } = this.#options;
    this.#stream ??= openStream === null ? null : await openStream();
    for (let start = 0; start < pcm.length; start += BLOCK_SAMPLES) {
      const block = pcm.subarray(start, start + BLOCK_SAMPLES);
      this.#meter.add(block);
      const { nonFiniteSamples } = this.#meter.measures;
      if (nonFiniteSamples > 0) {
        const reason = `the codec returned samples that are not finite (got ${nonFiniteSamples})`;
        throw new HiggsError("GENERATION_FAILED", "make audio", reason);
      }
      if (this.#stream === null) continue;
      await spool.append(await this.#stream.write(block));
      onGrown();
    }
  }
}
