import { describeOther, loadReference, sniffAudio } from "@higgs-worker/audio";
import { isHiggsError } from "@higgs-worker/base";
import { hashSamples } from "@higgs-worker/higgs-audio";
import { AUDIO_SHAPE } from "@higgs-worker/higgs-audio/requests";
import { invalidReference } from "./reference-errors.ts";

export interface PrepareClipOptions {
  /** The reference's name in messages. */
  readonly where: string;
  /** What is said in the clip; null when not given. */
  readonly transcript: string | null;
  readonly signal?: AbortSignal | undefined;
}

/** A clip that can be encoded. */
export interface PreparedAudio {
  /** Mono at 24 kHz. */
  readonly pcm: Float32Array;
  /** Of `pcm`. */
  readonly hash: string;
  readonly durationSeconds: number;
  /** What makes the clip a poor reference, each with what to do. */
  readonly warnings: readonly string[];
}

/** @throws {HiggsError} REFERENCE_INVALID when the first bytes of a file are not audio */
export function checkAudioStart(bytes: Uint8Array, where: string): void {
  const sniffed = sniffAudio(bytes);
  if ("other" in sniffed) throw invalidReference(where, describeOther(sniffed));
}

/**
 * Decodes an audio file of any supported format, resamples it, and examines whether it can be a reference. Decoding runs in
 * its own thread with limits on size, length, memory and time.
 *
 * @throws {HiggsError} REFERENCE_INVALID when it cannot be a reference
 * @throws {HiggsError} CANCELLED when the signal fires
 */
export async function prepareClip(bytes: Uint8Array, options: PrepareClipOptions): Promise<PreparedAudio> {
  try {
    const { signal, transcript } = options;
    const { samples, source, findings } = await loadReference(bytes, AUDIO_SHAPE.sampleRateHz, {
      transcript: transcript ?? undefined,
      signal,
    });
    const warnings = findings.map(({ message, hint }) => `${message}. ${hint}`);
    return { pcm: samples, hash: hashSamples(samples), durationSeconds: source.durationSeconds, warnings };
  } catch (error) {
    throw named(error, options.where);
  }
}

/** The same error with the field's name, which tells which reference is meant. */
function named(error: unknown, where: string): unknown {
  if (!isHiggsError(error) || error.code !== "REFERENCE_INVALID") return error;
  return invalidReference(where, error.reason, error);
}
