import type { Codes } from "../prompt/messages.ts";
import type { PlannedChunk } from "../prompt/speech-plan.ts";
import type { SpeakOptions } from "./types.ts";

/**
 * Where the frames of a request become audio, chunk by chunk: `beginChunk`, then one or more attempts of `push` …, each but the
 * last ended by `dropAttempt`, then `endChunk`; `finish` after the last chunk.
 */
export interface SpeechAudio {
  /** Begins a chunk: what is pushed until `endChunk` is its. */
  beginChunk(): void;
  /**
   * Takes the next frames of this attempt, `codes[codebook][frame]`, as soon as they are final. Only needed when `wantsFrames`.
   * Does not wait for the codec; an error of the codec or the listener is thrown at the next call.
   */
  push(codes: Codes): void;
  /** Whether frames are decoded while they come. Otherwise `endChunk` has all that is needed. */
  readonly wantsFrames: boolean;
  /** Audio of this chunk that the listener has and that can't be taken back. 0 lets the chunk be spoken again. */
  readonly sentSeconds: number;
  /** Forgets what was pushed in this attempt and not sent. Another attempt may follow when nothing was sent. */
  dropAttempt(): void;
  /**
   * The audio of the attempt, untrimmed, for the guard: `codes` are all of its frames. No frames may be pushed afterwards. The samples
   * may not be changed.
   */
  decodedChunk(codes: Codes): Promise<Float32Array>;
  /**
   * Ends the chunk; `codes` are all frames of the attempt that stays. It may be awaited later, as late as after `finish`: what is
   * called meanwhile keeps its order.
   */
  endChunk(codes: Codes, boundary: ChunkBoundary): Promise<ChunkAudio>;
  /** The whole audio after the last chunk, or nothing if it was given in parts. */
  finish(): Promise<Float32Array>;
  /** Waits for running computations, after a request has failed. Never rejects. */
  settle(): Promise<void>;
  /** Time in the codec so far. */
  readonly decodeMs: number;
  /** Moment of the first audio (`performance.now()`), null before. */
  readonly firstAudioAtMs: number | null;
}

/** What comes behind a chunk. */
export interface ChunkBoundary extends Pick<PlannedChunk, "end" | "pauseAfterSeconds"> {
  /** Nothing is spoken behind it. */
  readonly isLast: boolean;
}

/** Where a chunk lies in the whole audio, as it is given to the listener. */
export interface ChunkAudio {
  /** Of what is left of the chunk: pauses lie outside. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** Cut from its beginning and end. */
  readonly trimmedStartSeconds: number;
  readonly trimmedEndSeconds: number;
}

export interface SpeechAudioOptions extends Pick<SpeakOptions, "signal" | "onAudio" | "audioParts"> {
  /**
   * Frames of an attempt that must have come after a frame before its audio is given to the listener, so that the attempt can
   * still be dropped; `Infinity` gives no audio before the chunk ends. Default 0: at once.
   */
  readonly lookaheadFrames?: number | undefined;
}
