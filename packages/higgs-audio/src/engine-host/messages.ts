import type { LogSink } from "@higgs-worker/ggml";
import type { LoadProgress } from "../model/open-weights.ts";
import type { LoadSpeechModelOptions } from "../speech/load-speech-model.ts";
import type { ReferenceProfile } from "../prompt/references.ts";
import type { ChunkKey, StoredChunk } from "../resume/stored-chunk.ts";
import type { ReferenceClip, ResolvedSpeechRequest } from "../speech/speech-request.ts";
import type {
  AudioParts,
  EngineMemory,
  SpeechModelInfo,
  SpeechOutline,
  SpeechProgress,
  SpeechResult,
} from "../speech/types.ts";
import type { PlainError } from "./plain-error.ts";

/** What the engine's process needs to load the model: all that can be copied into it. */
export type EngineLoadOptions = Omit<
  LoadSpeechModelOptions,
  "signal" | "onProgress" | "onNotice" | "onSlotsPlanned" | "onFewerSlots" | "log"
>;

/** A request without the samples of its clips, which the engine asks for when it has no codes of them. */
export interface PlainRequest extends Omit<ResolvedSpeechRequest, "references"> {
  readonly references: readonly (Omit<ReferenceClip, "samples"> | ReferenceProfile)[];
}

/** To the engine's process. Samples go through a pipe of their own, all else is copied by the structured clone algorithm. */
export type ToEngine =
  | { readonly type: "load"; readonly options: EngineLoadOptions }
  | {
      readonly type: "speak";
      readonly id: number;
      readonly request: PlainRequest;
      readonly wantsProgress: boolean;
      /** Null when nothing listens. */
      readonly wantsAudio: AudioParts | null;
      /** Whether finished chunks are kept on the other side. */
      readonly hasChunkStore: boolean;
      /** Milliseconds since the epoch, for the same clock; null for no deadline. */
      readonly deadlineAtMs: number | null;
    }
  /** Answers `want-chunk`; null when it was not kept. */
  | { readonly type: "chunk"; readonly id: number; readonly index: number; readonly chunk: StoredChunk | null }
  /** Answers `want-samples`; in the same order. */
  | { readonly type: "samples"; readonly id: number; readonly hash: string; readonly samples: Float32Array }
  | { readonly type: "abort"; readonly id: number }
  /** Answered by `memory`. */
  | { readonly type: "ask-memory" }
  /** Finish what is running, free everything, and exit. */
  | { readonly type: "end" };

/** What a loaded model reports about itself. */
export interface EngineFacts {
  readonly name: string;
  readonly sampleRateHz: number;
  readonly info: SpeechModelInfo;
  readonly slots: number;
}

/** From the engine's process. */
export type FromEngine =
  /** Messages are heard from now on. */
  | { readonly type: "ready" }
  | { readonly type: "load-progress"; readonly progress: LoadProgress }
  /** What is being loaded will have this many. */
  | { readonly type: "slots-planned"; readonly slots: number }
  | { readonly type: "log"; readonly level: Parameters<LogSink>[0]; readonly message: string }
  | { readonly type: "loaded"; readonly facts: EngineFacts }
  /** Memory ran out after loading. */
  | { readonly type: "fewer-slots"; readonly slots: number }
  | { readonly type: "load-failed"; readonly error: PlainError }
  | { readonly type: "memory"; readonly memory: EngineMemory | null }
  | EngineAnswer;

/** What concerns one request. */
export type EngineAnswer = EngineNews | EngineOutcome;

export type EngineNews =
  | { readonly type: "progress"; readonly id: number; readonly progress: SpeechProgress }
  | { readonly type: "outline"; readonly id: number; readonly outline: SpeechOutline }
  | { readonly type: "audio"; readonly id: number; readonly pcm: Float32Array }
  /** Samples of one of the request's clips are needed: there are no codes for its hash. */
  | { readonly type: "want-samples"; readonly id: number; readonly hash: string }
  /** A chunk may have been kept; one at a time. */
  | { readonly type: "want-chunk"; readonly id: number; readonly key: ChunkKey }
  | { readonly type: "keep-chunk"; readonly id: number; readonly key: ChunkKey; readonly chunk: StoredChunk };

/** Ends a request. */
export type EngineOutcome =
  | { readonly type: "result"; readonly id: number; readonly result: SpeechResult }
  | { readonly type: "failed"; readonly id: number; readonly error: PlainError };
