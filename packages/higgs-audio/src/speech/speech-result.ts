import type { CodesOrigin } from "../voices/reference-encoder.ts";
import type { GeneratedChunk } from "./chunk-speaker.ts";
import type { SpeechAudio } from "./speech-audio.ts";
import type { SpeechResult } from "./types.ts";

export interface SpeechResultParts {
  /** The text that was spoken. */
  readonly text: string;
  readonly seed: number;
  readonly chunks: readonly GeneratedChunk[];
  /** Of all chunks. */
  readonly codes: readonly Int32Array[];
  readonly pcm: Float32Array;
  readonly sampleRateHz: number;
  readonly audio: Pick<SpeechAudio, "decodeMs" | "firstAudioAtMs">;
  readonly referenceCodes: readonly CodesOrigin[];
  readonly referencesMs: number;
  /** Moment of the request (`performance.now()`). */
  readonly startMs: number;
  readonly warnings: readonly string[];
}

/** What `speak` answers, at the moment when all is done. */
export function buildSpeechResult(parts: SpeechResultParts): SpeechResult {
  const { text, seed, chunks, codes, pcm, sampleRateHz, audio, referenceCodes, startMs, warnings } = parts;
  const total = (pick: (chunk: GeneratedChunk) => number): number =>
    chunks.reduce((sum, chunk) => sum + pick(chunk), 0);
  return {
    pcm,
    sampleRateHz,
    codes,
    seed,
    text,
    chunkCount: chunks.length,
    promptTokens: total(({ promptTokens }) => promptTokens),
    audioFrames: codes[0]?.length ?? 0,
    referenceCodes,
    prefixes: {
      hits: total(({ prefix }) => Number(prefix === "hit")),
      misses: total(({ prefix }) => Number(prefix === "miss")),
    },
    timings: {
      referencesMs: parts.referencesMs,
      prefillMs: total(({ prefillMs }) => prefillMs),
      generateMs: total(({ generateMs }) => generateMs),
      decodeMs: audio.decodeMs,
      firstAudioMs: (audio.firstAudioAtMs ?? startMs) - startMs,
      totalMs: performance.now() - startMs,
    },
    warnings,
  };
}
