import type { SpeechResult, SpokenChunkReport } from "@higgs-worker/higgs-audio";

/** Whether the speech is known to be good (docs/SPEECH.md). */
export interface JobQuality {
  /** 0 … 1, that of the worst chunk; below 0.5 one has a bad finding. Null without the guard. */
  readonly score: number | null;
  /** How often chunks were spoken again. */
  readonly retries: number;
  /** Findings of all chunks. */
  readonly findings: number;
  readonly chunks: readonly ChunkQuality[];
}

export interface ChunkQuality {
  /** Where the chunk lies in the audio. */
  readonly start_seconds: number;
  readonly end_seconds: number;
  /** `eos`: the model ended the speech; `length`: a limit cut it off. */
  readonly finish_reason: "eos" | "length";
  /** How often it was spoken, 1 or more. */
  readonly attempts: number;
  /** 0 … 1; null without the guard. */
  readonly score: number | null;
  readonly findings: readonly QualityFinding[];
}

export interface QualityFinding {
  readonly code: SpokenChunkReport["findings"][number]["code"];
  /** In the audio. */
  readonly start_seconds: number;
  readonly end_seconds: number;
  readonly detail: string;
  /** What was measured, and the limit that it is beyond. */
  readonly value: number;
  readonly limit: number;
  /** Whether it is reason enough to speak the chunk again. */
  readonly is_bad: boolean;
}

/**
 * What the guard says of the chunks.
 *
 * @param speed of the file: its times are so many times shorter
 */
export function describeQuality(chunks: SpeechResult["chunks"], speed: number): JobQuality {
  const scores = chunks.flatMap(({ score }) => (score === null ? [] : [score]));
  return {
    score: scores.length === 0 ? null : rounded(Math.min(...scores)),
    retries: chunks.reduce((sum, { attempts }) => sum + attempts - 1, 0),
    findings: chunks.reduce((sum, { findings }) => sum + findings.length, 0),
    chunks: chunks.map((chunk) => describeChunk(chunk, speed)),
  };
}

function describeChunk(report: SpokenChunkReport, speed: number): ChunkQuality {
  const { startSeconds, endSeconds, finished, attempts, score, findings } = report;
  return {
    start_seconds: rounded(startSeconds / speed),
    end_seconds: rounded(endSeconds / speed),
    finish_reason: finished,
    attempts,
    score: score === null ? null : rounded(score),
    findings: findings.map((finding) => ({
      code: finding.code,
      start_seconds: rounded(finding.startSeconds / speed),
      end_seconds: rounded(finding.endSeconds / speed),
      detail: finding.detail,
      value: rounded(finding.value),
      limit: rounded(finding.limit),
      is_bad: finding.isBad,
    })),
  };
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}

/** Says that the guard found something, for whoever does not read `quality`. */
export function qualityWarnings(chunks: readonly Pick<SpokenChunkReport, "findings">[]): string[] {
  const bad = chunks.filter(({ findings }) => findings.some(({ isBad }) => isBad));
  if (bad.length === 0) return [];
  const codes = bad.flatMap(({ findings }) => findings.filter(({ isBad }) => isBad).map(({ code }) => code));
  const found = [...new Set(codes)].join(", ");
  return [`${bad.length} of ${chunks.length} chunks may be spoken badly (${found}); quality says where`];
}
