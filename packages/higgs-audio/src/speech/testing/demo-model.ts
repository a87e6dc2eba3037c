import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadSpeechModelOptions, loadSpeechModel } from "../load-speech-model.ts";
import type { SpeechRequest } from "../speech-request.ts";
import type { SpeechModel, SpeechProgress } from "../types.ts";

/** The trained checkpoint that ships in the repository: native layout, 24 kHz, about a second to speak a sentence. */
export const DEMO_CHECKPOINT = join(import.meta.dirname, "../../../../../demo-checkpoint/checkpoint");

export function demoOptions(overrides: Partial<LoadSpeechModelOptions> = {}): LoadSpeechModelOptions {
  const { modelPath = DEMO_CHECKPOINT } = overrides;
  return {
    modelPath,
    tokenizerPath: join(modelPath, "codec"),
    device: "cpu",
    threads: 1,
    weights: "bf16",
    cacheDir: join(tmpdir(), "higgs-not-used"),
    contextLength: 800,
    ...overrides,
  };
}

export function loadDemo(overrides: Partial<LoadSpeechModelOptions> = {}): Promise<SpeechModel> {
  return loadSpeechModel(demoOptions(overrides));
}

/** A sentence that the demo model speaks well, cut off after 11 frames unless asked otherwise; every frame is heard. */
export function speechRequest(overrides: Partial<SpeechRequest> = {}): SpeechRequest {
  return {
    transcript: "The sun is warm and the sky is blue.",
    normalize: true,
    references: [],
    referencesInSystemMessage: false,
    scene: null,
    sampling: { temperature: 0.5, topK: 50, topP: 0.95, rasWinLen: 7, rasWinMaxNumRepeat: 2 },
    maxNewTokens: 20,
    chunkMethod: "none",
    chunkMaxWordNum: 200,
    chunkMaxNumTurns: 1,
    generationChunkBufferSize: null,
    trim: false,
    allowTruncated: true,
    guard: false,
    seed: 1,
    ...overrides,
  };
}

/** Collects progress; `progress` grows while the model speaks. */
export function collectProgress(): {
  readonly progress: SpeechProgress[];
  readonly onProgress: (item: SpeechProgress) => void;
} {
  const progress: SpeechProgress[] = [];
  return { progress, onProgress: (item) => void progress.push(item) };
}

/** Whether two pieces of audio are equal bit by bit; a failing `toEqual` would print all samples. */
export function isSame(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
}
