import { HiggsError } from "@higgs-worker/base";
import type { ChunkEnd } from "../prompt/speech-plan.ts";

/** What a pause stands behind. Nothing follows the end of the text. */
export type PauseKind = Exclude<ChunkEnd, "text">;

export const PAUSE_KINDS = ["clause", "sentence", "paragraph", "turn"] as const satisfies readonly PauseKind[];

/** Silence between the speech of two chunks, in milliseconds. */
export type PauseLengthsMs = Readonly<Record<PauseKind, number>>;

/** What readers do: a breath between sentences, a longer one between paragraphs. */
export const DEFAULT_PAUSES_MS: PauseLengthsMs = { clause: 150, sentence: 350, paragraph: 700, turn: 400 };

/** As in the reference, whose chunks follow each other as they are. */
export const NO_PAUSES_MS: PauseLengthsMs = { clause: 0, sentence: 0, paragraph: 0, turn: 0 };

/** Longer silence is asked for with a mark in the text. */
export const MAX_PAUSE_MS = 10_000;

/**
 * The given lengths, `defaults` for the rest.
 *
 * @throws {HiggsError} INVALID_INPUT when one is out of range
 */
export function resolvePauses(given: Partial<PauseLengthsMs>, defaults: PauseLengthsMs): PauseLengthsMs {
  const pauses = { ...defaults, ...given };
  for (const [kind, ms] of Object.entries(pauses)) {
    if (ms >= 0 && ms <= MAX_PAUSE_MS) continue;
    const reason = `the pause behind a ${kind} is out of range (got ${ms} ms, limit 0 … ${MAX_PAUSE_MS})`;
    throw new HiggsError("INVALID_INPUT", "speak the text", reason);
  }
  return pauses;
}

/** The pause that punctuation asks for behind a chunk. */
export function pauseSeconds(end: ChunkEnd, pausesMs: PauseLengthsMs): number {
  return end === "text" ? 0 : pausesMs[end] / 1000;
}
