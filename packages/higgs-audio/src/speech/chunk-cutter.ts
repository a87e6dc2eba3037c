import { type SpeechBounds, SpeechBoundsFinder } from "../guard/speech-bounds.ts";

/** Silence that stays before and behind the speech of a trimmed chunk: softer sounds than the rule hears lie in it. */
export const KEPT_SILENCE_SECONDS = 0.1;
/** Where audio is cut, or meets digital silence, it rises and falls in this time. */
const FADE_SECONDS = 0.005;

export interface ChunkCutterOptions {
  readonly sampleRateHz: number;
  /** Whether silence and noise around the speech are cut. */
  readonly trim: boolean;
  /** Whether other audio comes before, so that the beginning fades in even if it is not cut. */
  readonly followsAudio: boolean;
}

/** The end of a chunk. */
export interface CutEnd {
  /** What was not taken yet. */
  readonly pcm: Float32Array;
  /** Samples that are cut, and silence that stays. */
  readonly trimmedStart: number;
  readonly trimmedEnd: number;
  readonly tailSilence: number;
}

/**
 * Cuts one chunk out of its decoded samples while they come. What is taken early and late is together the same as what is taken
 * at the end.
 */
export class ChunkCutter {
  readonly #options: ChunkCutterOptions;
  readonly #finder: SpeechBoundsFinder;
  readonly #keptSamples: number;
  readonly #fadeSamples: number;
  readonly #samples = new SampleBuffer();
  /** Up to here samples were taken; null before the first. */
  #taken: number | null = null;
  #isAbandoned = false;

  constructor(options: ChunkCutterOptions) {
    this.#options = options;
    this.#finder = new SpeechBoundsFinder(options.sampleRateHz);
    this.#keptSamples = Math.round(KEPT_SILENCE_SECONDS * options.sampleRateHz);
    this.#fadeSamples = Math.round(FADE_SECONDS * options.sampleRateHz);
  }

  /** Takes the next samples. */
  push(pcm: Float32Array): void {
    this.#samples.append(pcm);
    this.#finder.push(pcm);
  }

  /** All samples so far, uncut. */
  get samples(): Float32Array {
    return this.#samples.view;
  }

  /** Silence that stays before the speech; null until there is speech. */
  get leadSilence(): number | null {
    const { startSample } = this.#finder;
    return startSample === null ? null : startSample - this.#startOf(startSample);
  }

  /** Samples that were taken. */
  get takenSamples(): number {
    return this.#taken === null ? 0 : this.#taken - this.#startOf(this.#finder.startSample ?? 0);
  }

  /** The next samples that stay whatever comes, none of them behind the uncut sample `limit`. */
  take(limit: number): Float32Array {
    const { startSample, certainEndSample } = this.#finder;
    if (startSample === null && this.#options.trim) return new Float32Array(0);
    const { length } = this.#samples.view;
    const end = this.#options.trim ? Math.min(length, certainEndSample + this.#keptSamples) : length;
    return this.#takeUpTo(Math.min(limit, end - this.#fadeSamples));
  }

  /** Forgets what was not taken, except what it takes to fade out. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#samples.truncate((this.#taken ?? 0) + this.#fadeSamples);
  }

  /** Ends the chunk. Only once. */
  end({ precedesAudio }: { readonly precedesAudio: boolean }): CutEnd {
    const { length } = this.#samples.view;
    const { startSample, endSample } = this.#speech(length);
    const start = this.#startOf(startSample);
    const end = Math.max(this.#taken ?? start, this.#endOf(endSample, length));
    const pcm = this.#takeUpTo(end);
    if (end < length || precedesAudio || this.#isAbandoned) fadeOut(pcm, Math.min(this.#fadeSamples, end - start));
    return { pcm, trimmedStart: start, trimmedEnd: length - end, tailSilence: Math.max(0, end - endSample) };
  }

  /** Where nothing is heard, all of it counts as speech and stays. */
  #speech(length: number): SpeechBounds {
    const { startSample, endSample } = this.#finder.bounds;
    return endSample === 0
      ? { startSample: 0, endSample: length }
      : { startSample, endSample: Math.min(length, endSample) };
  }

  #startOf(startSample: number): number {
    return this.#options.trim ? Math.max(0, startSample - this.#keptSamples) : 0;
  }

  #endOf(endSample: number, length: number): number {
    return this.#options.trim ? Math.min(length, endSample + this.#keptSamples) : length;
  }

  #takeUpTo(end: number): Float32Array {
    const start = this.#startOf(this.#finder.startSample ?? 0);
    const from = this.#taken ?? start;
    if (end <= from) return new Float32Array(0);
    const pcm = this.#samples.view.slice(from, end);
    this.#taken = end;
    if (start > 0 || this.#options.followsAudio) fadeIn(pcm, from - start, this.#fadeSamples);
    return pcm;
  }
}

/** `pcm` lies `offset` samples behind the beginning of the fade. */
function fadeIn(pcm: Float32Array, offset: number, fadeSamples: number): void {
  const end = Math.min(pcm.length, fadeSamples - offset);
  for (let i = 0; i < end; i++) pcm[i] = (pcm[i] as number) * gain(offset + i, fadeSamples);
}

function fadeOut(pcm: Float32Array, fadeSamples: number): void {
  for (let i = 0; i < Math.min(pcm.length, fadeSamples); i++) {
    const at = pcm.length - 1 - i;
    pcm[at] = (pcm[at] as number) * gain(i, fadeSamples);
  }
}

/** Half a cosine, above 0 and below 1, so that silence next to it stays the only silence. */
function gain(index: number, fadeSamples: number): number {
  return 0.5 - 0.5 * Math.cos((Math.PI * (index + 0.5)) / fadeSamples);
}

/** Samples that become more. */
class SampleBuffer {
  #room = new Float32Array(24_000);
  #length = 0;

  get view(): Float32Array {
    return this.#room.subarray(0, this.#length);
  }

  append(pcm: Float32Array): void {
    const length = this.#length + pcm.length;
    if (length > this.#room.length) {
      const room = new Float32Array(Math.max(length, 2 * this.#room.length));
      room.set(this.view);
      this.#room = room;
    }
    this.#room.set(pcm, this.#length);
    this.#length = length;
  }

  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }
}
