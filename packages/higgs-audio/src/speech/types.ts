/**
 * The contract between the speech engine and whoever serves it (spec model §13, spec contract §1): a request in,
 * PCM and facts about it out. Nothing here knows of jobs, HTTP or storage.
 */
import type { SamplingOptions } from "../engine/generation-options.ts";
import type { Reference, ReferenceClip, ReferenceProfile } from "../prompt/references.ts";
import type { ChunkMethod } from "../text/chunk.ts";
import type { EncodedReference } from "../voices/reference-encoder.ts";

export type { SamplingOptions };

export type { ChunkMethod };

export type { EncodedReference, Reference, ReferenceClip, ReferenceProfile };

export interface SpeechRequest {
  /** Raw text; normalised inside unless `normalize` is false. */
  readonly transcript: string;
  readonly normalize: boolean;
  readonly references: readonly Reference[];
  readonly referencesInSystemMessage: boolean;
  /** The scene's text, already resolved from a preset's name; null for none. */
  readonly scene: string | null;
  readonly sampling: SamplingOptions;
  /** Columns per chunk, BOS column included (spec model §8.6). */
  readonly maxNewTokens: number;
  readonly chunkMethod: ChunkMethod;
  readonly chunkMaxWordNum: number;
  readonly chunkMaxNumTurns: number;
  /** Chunks whose audio stays in the prompt; null keeps all (spec model §6.2). */
  readonly generationChunkBufferSize: number | null;
  /** 0 … 2^53−1. The same seed gives the same codes on the same build and device. */
  readonly seed: number;
}

export interface SpeechProgress {
  readonly chunkIndex: number;
  readonly chunkCount: number;
  /** Seconds of audio made so far, over all chunks. */
  readonly audioSeconds: number;
  /** Frames of this chunk so far. */
  readonly frames: number;
  readonly elapsedMs: number;
}

export interface SpeechTimings {
  readonly prefillMs: number;
  readonly generateMs: number;
  readonly decodeMs: number;
  /** From the call of `synthesize` to the first PCM: to the first part with `onAudio`, to the whole without. */
  readonly firstAudioMs: number;
  readonly totalMs: number;
}

export interface SpeechResult {
  /** Mono Float32 in about −1 … 1 (not clamped), at `sampleRateHz`. */
  readonly pcm: Float32Array;
  readonly sampleRateHz: number;
  /** `codes[codebook][frame]` of all chunks. */
  readonly codes: readonly Int32Array[];
  /** The text that was spoken: the normalised transcript. */
  readonly text: string;
  readonly chunkCount: number;
  readonly promptTokens: number;
  readonly audioFrames: number;
  readonly timings: SpeechTimings;
  readonly warnings: readonly string[];
}

export interface SynthesizeOptions {
  /** Stops generation within one frame; the call rejects with CANCELLED. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SpeechProgress) => void;
  /**
   * Given the audio in parts while it is made; one after the other they are the result's `pcm`, and they equal what is made
   * without it up to the order of float additions. Streaming costs more time in all, so leave it out where nobody listens.
   */
  readonly onAudio?: (pcm: Float32Array) => void;
}

/** One loaded model. Calls of `synthesize` run one after another unless the host batches. */
export interface SpeechModel extends AsyncDisposable {
  readonly name: string;
  readonly sampleRateHz: number;
  readonly info: SpeechModelInfo;
  synthesize(request: SpeechRequest, options?: SynthesizeOptions): Promise<SpeechResult>;
  /**
   * Codes of a reference clip: mono Float32 at 24 kHz. They are cached by content, so that a clip used again costs nothing.
   * Throws CANCELLED, OUT_OF_MEMORY, and MODEL_* when the audio tokenizer has no encoder.
   */
  encodeReference(pcm: Float32Array, options?: { readonly signal?: AbortSignal }): Promise<EncodedReference>;
}

export interface SpeechModelInfo {
  readonly layout: "boson" | "native";
  readonly modelPath: string;
  readonly device: string;
  readonly weights: string;
  readonly contextLength: number;
  readonly loadMs: number;
  readonly modelBytes: number;
}
