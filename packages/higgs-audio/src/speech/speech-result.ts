import { framesIn } from "../codec/codes.ts";
import type { SpeechPlan } from "../prompt/speech-plan.ts";
import type { CodesOrigin } from "../voices/reference-encoder.ts";
import type { GeneratedChunk } from "./chunk-speaker.ts";
import type { ChunkAudio, SpeechAudio } from "./speech-audio.ts";
import type { SpeechResult, SpokenChunkReport } from "./types.ts";

/** A chunk that was spoken, and where it is heard. */
export interface SpokenChunkParts {
  readonly text: string;
  readonly generated: GeneratedChunk;
  readonly audio: ChunkAudio;
}

export interface SpeechResultParts {
  readonly plan: Pick<SpeechPlan, "text" | "chapters">;
  readonly seed: number;
  readonly chunks: readonly SpokenChunkParts[];
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
  /** Chunks that came from a store. */
  readonly resumedChunks: number;
}

/** What `speak` answers, at the moment when all is done. */
export function buildSpeechResult(parts: SpeechResultParts): SpeechResult {
  const { plan, seed, chunks, codes, pcm, sampleRateHz, audio, referenceCodes, startMs, warnings } = parts;
  const total = (pick: (chunk: GeneratedChunk) => number): number =>
    chunks.reduce((sum, { generated }) => sum + pick(generated), 0);
  return {
    pcm,
    sampleRateHz,
    codes,
    seed,
    text: plan.text,
    chunkCount: chunks.length,
    chunks: chunks.map(reportOf),
    chapters: plan.chapters.map(({ title, chunkIndex }) => ({
      title,
      chunkIndex,
      startSeconds: chunks[chunkIndex]?.audio.startSeconds ?? 0,
    })),
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
    resumedChunks: parts.resumedChunks,
  };
}

function reportOf({ text, generated, audio }: SpokenChunkParts): SpokenChunkReport {
  return {
    text,
    startSeconds: audio.startSeconds,
    endSeconds: audio.endSeconds,
    frames: framesIn(generated.codes),
    finished: generated.finished,
    attempts: 1,
    findings: [],
    score: null,
  };
}
