/**
 * The contract between the speech engine and its callers (spec model §13, spec contract §1): a request in,
 * PCM and facts about it out. Nothing here knows of jobs, HTTP or storage.
 */
import type { MemoryPlan } from "./memory-plan.ts";
import type { FinishReason } from "../engine/column-generator.ts";
import type { Finding } from "../guard/types.ts";
import type { ChunkStore } from "../resume/stored-chunk.ts";
import type { SpeechRequest } from "./speech-request.ts";
import type { CodesOrigin } from "../voices/reference-encoder.ts";

export interface SpeechProgress {
  readonly chunkIndex: number;
  readonly chunkCount: number;
  /** Of those before and this one, how many came from `SpeakOptions.chunkStore`, without any work. */
  readonly resumedChunks: number;
  /** Seconds of audio made so far, over all chunks, without what is spoken again. */
  readonly audioSeconds: number;
  /** Frames of this chunk so far. */
  readonly frames: number;
  /** Attempts at this chunk that were given up before: its frames and seconds count anew with each. */
  readonly retries: number;
  readonly elapsedMs: number;
}

export interface SpeechTimings {
  /** Until all references were encoded or found in a cache. */
  readonly referencesMs: number;
  readonly prefillMs: number;
  readonly generateMs: number;
  readonly decodeMs: number;
  /** From the call of `speak` to the first PCM: to the first part with `onAudio`, to the whole without. */
  readonly firstAudioMs: number;
  readonly totalMs: number;
}

/** How a chunk was spoken. */
export interface SpokenChunkReport {
  /** Of its user turn, as the model got it. */
  readonly text: string;
  /** Where it lies in the whole audio, as it was given to the caller; pauses lie outside. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** Its columns of `SpeechResult.codes`, which follow those of the chunk before. */
  readonly frames: number;
  /** Whether the model ended the speech, or a limit cut it off. */
  readonly finished: FinishReason;
  /** How often it was spoken, the attempt that was kept included. */
  readonly attempts: number;
  /** What is wrong with the attempt that was kept; times are those of the whole audio. Empty without the guard. */
  readonly findings: readonly Finding[];
  /** 0 … 1, below 0.5 with a bad finding; null without the guard. */
  readonly score: number | null;
}

/** Where a chapter of the text begins in the audio. */
export interface SpokenChapter {
  readonly title: string;
  /** The chunk that it begins with, and where that starts. */
  readonly chunkIndex: number;
  readonly startSeconds: number;
}

export interface SpeechResult {
  /**
   * Mono Float32 in about −1 … 1 (not clamped), at `sampleRateHz`: the chunks one after the other, trimmed and with pauses as the
   * request says. Empty with `onAudio`, which was given all of it.
   */
  readonly pcm: Float32Array;
  readonly sampleRateHz: number;
  /** `codes[codebook][frame]` of all chunks. */
  readonly codes: readonly Int32Array[];
  /** The request's, or the one that was drawn. */
  readonly seed: number;
  /** The text that was spoken: the normalized transcript. */
  readonly text: string;
  readonly chunkCount: number;
  /** In order; at least one. */
  readonly chunks: readonly SpokenChunkReport[];
  readonly chapters: readonly SpokenChapter[];
  /** Chunks that were not spoken now: they came from `SpeakOptions.chunkStore`. Timings are without them. */
  readonly resumedChunks: number;
  readonly promptTokens: number;
  readonly audioFrames: number;
  /** Where the codes of each clip among the references came from. */
  readonly referenceCodes: readonly CodesOrigin[];
  /** Chunks whose fixed turns were in the prefix cache, and chunks whose were not. */
  readonly prefixes: { readonly hits: number; readonly misses: number };
  readonly timings: SpeechTimings;
  readonly warnings: readonly string[];
}

/** What is known of a speech before it begins. */
export interface SpeechOutline {
  /** Titles of its chapters, in order; at least one. */
  readonly chapterTitles: readonly string[];
}

export interface SpeakOptions {
  /** Stops generation within one frame; the call rejects with CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SpeechProgress) => void) | undefined;
  /** Told once, before any audio, of a text that has chapters. */
  readonly onOutline?: ((outline: SpeechOutline) => void) | undefined;
  /**
   * Given the audio in parts while it is made; one after the other they are the whole, equal to what is made without it up to
   * the order of float additions. Early parts cost more time in all, so leave it out when nothing uses them.
   */
  readonly onAudio?: ((pcm: Float32Array) => void) | undefined;
  /**
   * How `onAudio` gets the audio. `early` (the default): small parts as soon as possible. `exact`: larger parts, as a rule a
   * chunk, that are together bit for bit what is made without `onAudio`, at the same cost.
   */
  readonly audioParts?: AudioParts | undefined;
  /**
   * Keeps each finished chunk, and has those of an earlier call that was broken off: the speech goes on behind them, with the same
   * codes as if it had been spoken in one go. Needs the same `seed`. Not used for speech of one or two chunks.
   */
  readonly chunkStore?: ChunkStore | undefined;
  /** When the request has to be done, in milliseconds since the epoch; a bad chunk is only spoken again if there is time for it. */
  readonly deadlineAtMs?: number | undefined;
}

export type AudioParts = "early" | "exact";

/** One loaded model. Calls of `speak` run one after another unless the host batches. */
export interface SpeechModel extends AsyncDisposable {
  readonly name: string;
  readonly sampleRateHz: number;
  readonly info: SpeechModelInfo;
  /** Requests that are spoken at the same time as of now: fewer than planned after memory ran out. */
  readonly slots: number;
  /** What the model's process and device hold now; null when that cannot be told, for example while the engine restarts. */
  readonly memory?: () => Promise<EngineMemory | null>;
  /**
   * Speaks a request.
   *
   * @throws {HiggsError} INVALID_INPUT when a text or an option is not allowed
   * @throws {HiggsError} REFERENCE_INVALID when a clip cannot be used
   * @throws {HiggsError} CONTEXT_OVERFLOW when prompt and audio do not fit the context
   * @throws {HiggsError} GENERATION_FAILED when the model produces no usable audio
   * @throws {HiggsError} AUDIO_TRUNCATED when the audio ends before its text does, unless that is allowed
   * @throws {HiggsError} OUT_OF_MEMORY when the device or the host has too little memory
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws {HiggsError} MODEL_CORRUPT when converted weights turn out to be damaged
   * @throws {HiggsError} MODEL_UNSUPPORTED when references need an encoder that the audio tokenizer lacks
   */
  speak(request: SpeechRequest, options?: SpeakOptions): Promise<SpeechResult>;
}

export interface EngineMemory {
  /** Resident memory of the process that has the model. */
  readonly residentBytes: number;
  /** Memory of the device that nobody uses, and all that it has; the host's on a CPU. */
  readonly deviceFreeBytes: number;
  readonly deviceTotalBytes: number;
}

/** What is planned to be in memory, in bytes. */
export type { MemoryNeeds, MemoryPlan, MemoryRoom } from "./memory-plan.ts";

export interface SpeechModelInfo {
  readonly layout: "boson" | "native";
  readonly modelPath: string;
  readonly device: string;
  readonly weights: string;
  readonly contextLength: number;
  readonly loadMs: number;
  readonly modelBytes: number;
  /** Made before it was loaded; its number of slots is what was tried first. */
  readonly memoryPlan: MemoryPlan;
}
