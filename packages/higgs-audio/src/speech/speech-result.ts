import type { CodesOrigin } from "../voices/reference-encoder.ts";
import type { AudioOutput } from "./audio-output.ts";
import type { GeneratedChunk } from "./chunk-speaker.ts";
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
  readonly audio: Pick<AudioOutput, "decodeMs" | "firstAudioAtMs">;
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

/** Chunks one after the other: `codes[codebook][frame]`. */
export function concatenateCodes(chunks: readonly (readonly Int32Array[])[]): Int32Array[] {
  return (chunks[0] ?? []).map((_, codebook) => {
    const rows = chunks.map((codes) => codes[codebook] ?? new Int32Array(0));
    const joined = new Int32Array(rows.reduce((sum, row) => sum + row.length, 0));
    let offset = 0;
    for (const row of rows) {
      joined.set(row, offset);
      offset += row.length;
    }
    return joined;
  });
}
