import { HiggsError } from "@higgs-worker/base";
import type { EarlierSpeech, SpokenChunk } from "./speech-request.ts";
import type { SpeechResult } from "./types.ts";

/** 30 seconds: enough to keep a voice and its pace, and little to compute again for each sentence. */
export const CARRIED_FRAMES = 750;
/** What was spoken before may fill this share of the model's context. */
export const CONTEXT_SHARE = 1 / 3;

/**
 * What the model is reminded of from request to request when text comes sentence by sentence: the last chunks, as long as their
 * frames stay below a limit.
 */
export class SpeechMemory {
  readonly #maxFrames: number;
  #chunks: readonly SpokenChunk[] = [];
  #chunkCount = 0;

  /**
   * Starts with nothing.
   *
   * @param contextLength positions of the model's context
   */
  constructor({ contextLength }: { readonly contextLength: number }) {
    this.#maxFrames = Math.min(CARRIED_FRAMES, Math.floor(contextLength * CONTEXT_SHARE));
  }

  /** For the next request; null before the first. */
  get earlier(): EarlierSpeech | null {
    return this.#chunkCount === 0 ? null : { chunks: this.#chunks, chunkCount: this.#chunkCount };
  }

  /** Remembers what a request spoke. */
  add({ text, codes, chunkCount }: Pick<SpeechResult, "text" | "codes" | "chunkCount">): void {
    this.#chunkCount += chunkCount;
    const kept = [...this.#chunks, { text, codes }].filter((chunk) => framesOf(chunk) > 0);
    let frames = kept.reduce((sum, chunk) => sum + framesOf(chunk), 0);
    const first = kept.findIndex((chunk) => {
      if (frames <= this.#maxFrames) return true;
      frames -= framesOf(chunk);
      return false;
    });
    this.#chunks = first === -1 ? [] : kept.slice(first);
  }
}

/**
 * Checks that the codes can be a part of the prompt.
 *
 * @throws {HiggsError} INVALID_INPUT when they cannot
 */
export function checkEarlierSpeech(
  earlier: EarlierSpeech | null,
  { numCodebooks }: { readonly numCodebooks: number },
): void {
  if (earlier === null) return;
  const { chunks, chunkCount } = earlier;
  if (!Number.isSafeInteger(chunkCount) || chunkCount < chunks.length) {
    throw invalid(`their count must be a whole number from ${chunks.length} (got ${chunkCount})`);
  }
  for (const [index, { codes }] of chunks.entries()) {
    const frames = codes[0]?.length ?? 0;
    if (codes.length !== numCodebooks || frames === 0 || codes.some((row) => row.length !== frames)) {
      const got = codes.map((row) => row.length).join(", ");
      throw invalid(`chunk ${index} needs ${numCodebooks} codebooks of equal length from 1 (got ${got || "none"})`);
    }
  }
}

function framesOf({ codes }: SpokenChunk): number {
  return codes[0]?.length ?? 0;
}

function invalid(reason: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "go on from earlier chunks", reason);
}
