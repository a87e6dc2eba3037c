import type { SpeakOptions } from "./types.ts";

/** Progress is reported after this many frames, five times per second of audio, and at the end of each chunk. */
const PROGRESS_FRAMES = 5;

export interface ProgressReporterOptions extends Pick<SpeakOptions, "onProgress"> {
  /** Moment of the request (`performance.now()`). */
  readonly startMs: number;
  readonly framesPerSecond: number;
}

/** Tells a request's listener how far its speech is. */
export class ProgressReporter {
  readonly #options: ProgressReporterOptions;
  /** Of the chunks that have ended. */
  #frames = 0;
  #resumedChunks = 0;

  constructor(options: ProgressReporterOptions) {
    this.#options = options;
  }

  /** Notes that the current chunk has `frames` frames so far. */
  advance(frames: number, chunkIndex: number, chunkCount: number): void {
    if (frames % PROGRESS_FRAMES === 0) this.#report(frames, chunkIndex, chunkCount);
  }

  /** Notes that the current chunk is complete. */
  endChunk(
    frames: number,
    chunk: { readonly chunkIndex: number; readonly chunkCount: number; readonly isResumed: boolean },
  ): void {
    const { chunkIndex, chunkCount, isResumed } = chunk;
    if (isResumed) this.#resumedChunks += 1;
    if (isResumed || frames % PROGRESS_FRAMES !== 0) this.#report(frames, chunkIndex, chunkCount);
    this.#frames += frames;
  }

  #report(frames: number, chunkIndex: number, chunkCount: number): void {
    const { startMs, framesPerSecond, onProgress } = this.#options;
    const elapsedMs = performance.now() - startMs;
    const audioSeconds = (this.#frames + frames) / framesPerSecond;
    const resumedChunks = this.#resumedChunks;
    onProgress?.({ chunkIndex, chunkCount, resumedChunks, audioSeconds, frames, elapsedMs });
  }
}
