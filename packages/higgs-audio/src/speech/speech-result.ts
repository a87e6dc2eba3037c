import { framesIn } from "../codec/codes.ts";
import type { Finding } from "../guard/index.ts";
import type { PlannedChapter, SpeechPlan } from "../prompt/speech-plan.ts";
import type { CodesOrigin } from "../voices/reference-encoder.ts";
import type { GeneratedChunk } from "./chunk-speaker.ts";
import type { ChunkAudio, SpeechAudio } from "./speech-audio.ts";
import type { HeardPart } from "./spoken-part.ts";
import type { SpeechResult, SpokenChapter, SpokenChunkReport } from "./types.ts";

export interface SpeechResultParts {
  readonly plan: Pick<SpeechPlan, "text" | "chapters">;
  readonly seed: number;
  readonly parts: readonly HeardPart[];
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
export function buildSpeechResult(result: SpeechResultParts): SpeechResult {
  const { plan, seed, parts, codes, pcm, sampleRateHz, audio, referenceCodes, startMs, warnings } = result;
  const total = (pick: (chunk: GeneratedChunk) => number): number =>
    parts.reduce((sum, { generated }) => sum + pick(generated), 0);
  const wastedMs = parts.reduce((sum, { attempts }) => sum + attempts.wastedMs, 0);
  return {
    pcm,
    sampleRateHz,
    codes,
    seed,
    text: plan.text,
    chunkCount: parts.length,
    chunks: parts.map(reportOf),
    chapters: plan.chapters.map((chapter) => placeChapter(chapter, parts)),
    promptTokens: total(({ promptTokens }) => promptTokens),
    audioFrames: codes[0]?.length ?? 0,
    referenceCodes,
    prefixes: {
      hits: total(({ prefix }) => Number(prefix === "hit")),
      misses: total(({ prefix }) => Number(prefix === "miss")),
    },
    timings: {
      referencesMs: result.referencesMs,
      prefillMs: total(({ prefillMs }) => prefillMs),
      generateMs: total(({ generateMs }) => generateMs) + wastedMs,
      decodeMs: audio.decodeMs,
      firstAudioMs: (audio.firstAudioAtMs ?? startMs) - startMs,
      totalMs: performance.now() - startMs,
    },
    warnings,
    resumedChunks: result.resumedChunks,
  };
}

function reportOf({ chunk, generated, inspection, attempts, audio }: HeardPart): SpokenChunkReport {
  return {
    text: chunk.text,
    startSeconds: audio.startSeconds,
    endSeconds: audio.endSeconds,
    frames: framesIn(generated.codes),
    finished: generated.finished,
    attempts: attempts.count,
    findings: (inspection?.findings ?? []).map((finding) => placeFinding(finding, audio)),
    score: inspection?.score ?? null,
  };
}

/** From the time of the untrimmed chunk to that of the whole audio. */
function placeFinding(finding: Finding, { startSeconds, endSeconds, trimmedStartSeconds }: ChunkAudio): Finding {
  const placed = (seconds: number): number =>
    Math.min(endSeconds, Math.max(startSeconds, startSeconds + seconds - trimmedStartSeconds));
  return { ...finding, startSeconds: placed(finding.startSeconds), endSeconds: placed(finding.endSeconds) };
}

/** A chapter begins with the first part of its chunk. */
function placeChapter({ title, chunkIndex }: PlannedChapter, parts: readonly HeardPart[]): SpokenChapter {
  const index = parts.findIndex(({ planIndex }) => planIndex >= chunkIndex);
  return { title, chunkIndex: index, startSeconds: parts[index]?.audio.startSeconds ?? 0 };
}
