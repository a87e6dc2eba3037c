import type { SpeakOptions, SpeechProgress } from "./types.ts";

/** Progress is reported after this many frames, five times per second of audio, and at the end of each chunk. */
const PROGRESS_FRAMES = 5;

export interface ProgressReporterOptions extends Pick<SpeakOptions, "onProgress"> {
  /** Moment of the request (`performance.now()`). */
  readonly startMs: number;
  readonly framesPerSecond: number;
}

/** Which chunk is spoken, and for the how many-th time. */
export type ChunkPlace = Pick<SpeechProgress, "chunkIndex" | "chunkCount" | "retries">;

/** Tells a request's listener how far its speech is. */
export class ProgressReporter {
  readonly #options: ProgressReporterOptions;
  /** Of the chunks that have ended. */
  #frames = 0;
  #resumedChunks = 0;

  constructor(options: ProgressReporterOptions) {
    this.#options = options;
  }

  /** Notes that this attempt at the current chunk has `frames` frames so far. */
  advance(frames: number, place: ChunkPlace): void {
    if (frames % PROGRESS_FRAMES === 0) this.#report(frames, place);
  }

  /** Notes that the current chunk is complete. */
  endChunk(frames: number, place: ChunkPlace): void {
    if (frames % PROGRESS_FRAMES !== 0) this.#report(frames, place);
    this.#frames += frames;
  }

  /** Notes a chunk that need not be spoken. */
  resumeChunk(frames: number, place: Omit<ChunkPlace, "retries">): void {
    this.#resumedChunks += 1;
    this.#report(frames, { ...place, retries: 0 });
    this.#frames += frames;
  }

  #report(frames: number, { chunkIndex, chunkCount, retries }: ChunkPlace): void {
    const { startMs, framesPerSecond, onProgress } = this.#options;
    const elapsedMs = performance.now() - startMs;
    const audioSeconds = (this.#frames + frames) / framesPerSecond;
    const resumedChunks = this.#resumedChunks;
    onProgress?.({ chunkIndex, chunkCount, resumedChunks, audioSeconds, frames, retries, elapsedMs });
  }
}
