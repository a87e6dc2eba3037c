import type { LogSink } from "@higgs-worker/ggml";
import type { LoadProgress } from "../model/open-weights.ts";
import type { LoadSpeechModelOptions } from "../speech/load-speech-model.ts";
import type {
  EncodedReference,
  SpeechModelInfo,
  SpeechProgress,
  SpeechRequest,
  SpeechResult,
} from "../speech/types.ts";
import type { PlainError } from "./plain-error.ts";

/** What the engine's process needs to load the model: all that can be copied into it. */
export type EngineLoadOptions = Omit<LoadSpeechModelOptions, "signal" | "onProgress" | "log">;

/** To the engine's process. Everything is copied by the structured clone algorithm. */
export type ToEngine =
  | { readonly type: "load"; readonly options: EngineLoadOptions }
  | {
      readonly type: "synthesize";
      readonly id: number;
      readonly request: SpeechRequest;
      readonly wantsProgress: boolean;
      readonly wantsAudio: boolean;
    }
  | { readonly type: "encode-reference"; readonly id: number; readonly pcm: Float32Array }
  | { readonly type: "abort"; readonly id: number }
  /** Finish what is running, free everything, and exit. */
  | { readonly type: "end" };

/** What a loaded model says of itself. */
export interface EngineFacts {
  readonly name: string;
  readonly sampleRateHz: number;
  readonly info: SpeechModelInfo;
}

/** From the engine's process. */
export type FromEngine =
  /** Messages are heard from now on. */
  | { readonly type: "ready" }
  | { readonly type: "load-progress"; readonly progress: LoadProgress }
  | { readonly type: "log"; readonly level: Parameters<LogSink>[0]; readonly message: string }
  | { readonly type: "loaded"; readonly facts: EngineFacts }
  | { readonly type: "load-failed"; readonly error: PlainError }
  | EngineAnswer;

/** What concerns one request. */
export type EngineAnswer = EngineNews | EngineOutcome;

export type EngineNews =
  | { readonly type: "progress"; readonly id: number; readonly progress: SpeechProgress }
  | { readonly type: "audio"; readonly id: number; readonly pcm: Float32Array };

/** Ends a request. */
export type EngineOutcome =
  | { readonly type: "result"; readonly id: number; readonly result: SpeechResult }
  | { readonly type: "encoded"; readonly id: number; readonly reference: EncodedReference }
  | { readonly type: "failed"; readonly id: number; readonly error: PlainError };
