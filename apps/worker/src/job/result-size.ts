import { encoderFor } from "@higgs-worker/audio";
import { HiggsError } from "@higgs-worker/base";
import type { SpeechProgress } from "@higgs-worker/higgs-audio";
import { AUDIO_SHAPE, estimateTranscriptLength } from "@higgs-worker/higgs-audio/requests";
import { fileSampleRate } from "./file-options.ts";
import type { JobInput } from "./job-fields.ts";

/** Result limits of the platform for `/run` and `/runsync`, whose job ids begin with `sync-` (spec platform §4.5, §1.2). */
const MAX_RESULT_BYTES = 10_000_000;
const MAX_SYNC_RESULT_BYTES = 20_000_000;
/** Space in the result for everything but the audio. */
const RESULT_OVERHEAD_BYTES = 16_384;
/** Captions of ten hours have about half of it. */
const MAX_CAPTION_BYTES = 2_000_000;
/** Of the audio of finished chunks; silence may have been trimmed. */
const SURELY_KEPT_SHARE = 0.9;

/** The largest result of a job. */
export function maxResultBytesOf(jobId: string): number {
  return jobId.startsWith("sync-") ? MAX_SYNC_RESULT_BYTES : MAX_RESULT_BYTES;
}

/**
 * The audio as base64.
 *
 * @throws {HiggsError} RESULT_TOO_LARGE when the result would exceed `maxResultBytes`
 */
export function encodeBase64(file: Uint8Array, maxResultBytes: number): string {
  refuseTooLarge(file.byteLength, maxResultBytes);
  return Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString("base64");
}

/** Whether a result can carry a file of this size as base64. */
export function fitsResult(fileBytes: number, maxResultBytes: number): boolean {
  return resultBytes(fileBytes) <= maxResultBytes;
}

/**
 * Refuses a text whose audio is bound to be too large, however fast it is spoken.
 *
 * @throws {HiggsError} RESULT_TOO_LARGE
 */
export function refuseForeseeablyLarge(input: JobInput, maxResultBytes: number): void {
  const { leastSeconds } = estimateTranscriptLength(input.transcript);
  refuseTooLarge(leastFileBytes(input, Math.min(leastSeconds, longestSeconds(input))), maxResultBytes);
}

/** Seconds that a text in one chunk, which may be cut off, cannot exceed. */
export function longestSeconds({ chunk_method: method, max_new_tokens: columns }: JobInput): number {
  if (method !== "none") return Number.POSITIVE_INFINITY;
  return (columns - AUDIO_SHAPE.columnsBesideFrames) / AUDIO_SHAPE.framesPerSecond;
}

/** Watches the audio of a job grow, to stop it as soon as its result is bound to be too large. */
export class ResultSizeWatch {
  readonly #input: JobInput;
  readonly #maxResultBytes: number;
  readonly #onTooLarge: () => void;
  #failure: unknown = null;

  constructor(input: JobInput, maxResultBytes: number, onTooLarge: () => void) {
    this.#input = input;
    this.#maxResultBytes = maxResultBytes;
    this.#onTooLarge = onTooLarge;
  }

  /** Takes news of the audio; calls `onTooLarge` once. */
  advance({ audioSeconds, frames }: Pick<SpeechProgress, "audioSeconds" | "frames">): void {
    if (this.#failure !== null) return;
    // The chunk that is spoken now may be taken back.
    const finishedSeconds = audioSeconds - frames / AUDIO_SHAPE.framesPerSecond;
    try {
      refuseTooLarge(leastFileBytes(this.#input, finishedSeconds * SURELY_KEPT_SHARE), this.#maxResultBytes);
    } catch (error) {
      this.#failure = error;
      this.#onTooLarge();
    }
  }

  /** @throws {HiggsError} RESULT_TOO_LARGE when it is */
  throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }
}

/** The least size of a file with so much speech. */
function leastFileBytes(input: JobInput, speechSeconds: number): number {
  const rateHz = fileSampleRate(input, AUDIO_SHAPE.sampleRateHz);
  const samples = Math.floor((speechSeconds / input.speed) * rateHz);
  return encoderFor(input.output_format).minEncodedBytes(samples, rateHz);
}

function resultBytes(fileBytes: number): number {
  return Math.ceil(fileBytes / 3) * 4 + RESULT_OVERHEAD_BYTES;
}

function refuseTooLarge(fileBytes: number, limit: number): void {
  if (fitsResult(fileBytes, limit)) return;
  throw new HiggsError(
    "RESULT_TOO_LARGE",
    "deliver the audio as base64",
    `the result would be too large for the platform (got ${resultBytes(fileBytes)} bytes, limit ${limit})`,
  );
}

/** Bytes of captions that a result has room for beside its audio; `maxResultBytes` 0: the platform's least limit. */
export function captionRoom(maxResultBytes: number, base64: string | null): number {
  const limit = maxResultBytes === 0 ? MAX_RESULT_BYTES : maxResultBytes;
  return Math.min(MAX_CAPTION_BYTES, limit - RESULT_OVERHEAD_BYTES - (base64?.length ?? 0));
}
