/** Where decoders put their samples. */
export interface PcmSink {
  /** Samples of each channel so far. */
  readonly sampleCount: number;

  /**
   * Announces the audio before the first block. `declaredSamples` is the header's count, if any; too many are refused
   * without decoding.
   *
   * @throws {HiggsError} REFERENCE_INVALID when it is outside the limits
   */
  begin(sampleRateHz: number, channels: number, declaredSamples?: number): void;

  /**
   * Adds one block: an array for each channel, all of the same length. It is not kept.
   *
   * @throws {HiggsError} REFERENCE_INVALID when it is too long, or a sample or the number of channels is wrong
   */
  push(block: readonly Float32Array[]): void;

  /** Reports by how many bytes the file ends before its audio does; 0 when it is complete. */
  noteMissing(bytes: number): void;
}

/** The part of the decoded audio that is played: without the encoder's delay and padding. */
export interface PresentedSpan {
  /** Offset into what the codec decodes. */
  readonly startSeconds: number;
  /** Null: to the end of what the codec decodes. */
  readonly durationSeconds: number | null;
  /** Dropped at the end of what the codec decodes; used when there is no duration. */
  readonly paddingSeconds: number;
}

/** Passes on a span of its input. */
export class SpanSink implements PcmSink {
  readonly #target: PcmSink;
  readonly #span: PresentedSpan;
  #toSkip = 0;
  #toKeep = Infinity;
  #paddingSamples = 0;
  /** Held back, because it may turn out to be padding. */
  #held: Float32Array[][] = [];
  #heldSamples = 0;
  #sampleCount = 0;

  constructor(target: PcmSink, span: PresentedSpan) {
    this.#target = target;
    this.#span = span;
  }

  get sampleCount(): number {
    return this.#sampleCount;
  }

  /** Nothing after it is played. */
  get isFull(): boolean {
    return this.#toKeep === 0;
  }

  begin(sampleRateHz: number, channels: number): void {
    const { startSeconds, durationSeconds, paddingSeconds } = this.#span;
    this.#toSkip = Math.max(0, Math.round(startSeconds * sampleRateHz));
    if (durationSeconds !== null) this.#toKeep = Math.round(durationSeconds * sampleRateHz);
    else this.#paddingSamples = Math.max(0, Math.round(paddingSeconds * sampleRateHz));
    this.#target.begin(sampleRateHz, channels);
  }

  push(block: readonly Float32Array[]): void {
    const length = block[0]?.length ?? 0;
    this.#sampleCount += length;
    const first = Math.min(this.#toSkip, length);
    const end = Math.min(length, first + this.#toKeep);
    this.#toSkip -= first;
    this.#toKeep -= end - first;
    if (end === first) return;
    const kept = block.map((channel) => channel.subarray(first, end));
    if (this.#paddingSamples === 0) this.#target.push(kept);
    else this.#hold(kept.map((channel) => channel.slice()));
  }

  noteMissing(bytes: number): void {
    this.#target.noteMissing(bytes);
  }

  /** Of what is held back, the span's padding is dropped and the rest passed on. */
  finish(): void {
    let left = this.#heldSamples - this.#paddingSamples;
    for (const block of this.#held) {
      if (left <= 0) break;
      this.#target.push(block.map((channel) => channel.subarray(0, left)));
      left -= block[0]?.length ?? 0;
    }
    this.#held = [];
  }

  #hold(block: Float32Array[]): void {
    this.#held.push(block);
    this.#heldSamples += block[0]?.length ?? 0;
    // The oldest block is audio once the blocks after it cover the padding.
    for (;;) {
      const oldest = this.#held[0];
      const length = oldest?.[0]?.length ?? 0;
      if (oldest === undefined || this.#heldSamples - length < this.#paddingSamples) return;
      this.#held.shift();
      this.#heldSamples -= length;
      this.#target.push(oldest);
    }
  }
}
