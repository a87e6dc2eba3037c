import { HiggsError } from "@higgs-worker/base";
import type { DecodedAudio } from "./decoder/audio-decoder.ts";
import { decodeInThread, type DecodeAudioOptions } from "./decoding/decode-audio.ts";
import type { Finding } from "./reference/finding.ts";

export interface LoadReferenceOptions extends DecodeAudioOptions {
  /** What is said in the clip, if known; its length is compared with the clip's. */
  readonly transcript?: string | undefined;
}

export interface LoadedReference {
  /** Mono PCM at `sampleRateHz`. */
  readonly samples: Float32Array;
  readonly sampleRateHz: number;
  /** Facts about the file. */
  readonly source: Pick<DecodedAudio, "format" | "sampleRateHz" | "channels" | "durationSeconds">;
  /** Warnings only; empty for a good clip. */
  readonly findings: readonly Finding[];
}

/**
 * A reference clip from the bytes of any supported file: decoded, examined as stored, and resampled to `sampleRateHz`, all
 * in its own thread.
 *
 * @throws {HiggsError} REFERENCE_INVALID when it cannot be decoded or cannot give a voice
 * @throws {HiggsError} CANCELLED when the signal fires
 */
export async function loadReference(
  bytes: Uint8Array,
  sampleRateHz: number,
  options: LoadReferenceOptions = {},
): Promise<LoadedReference> {
  const work = { resampleToHz: sampleRateHz, examine: { transcript: options.transcript ?? null } };
  const { audio, resampled, findings } = await decodeInThread(bytes, work, options);
  const refusal = findings.find(({ severity }) => severity === "refuse");
  if (refusal !== undefined) {
    throw new HiggsError("REFERENCE_INVALID", "use the reference", refusal.message);
  }
  const { format, channels, durationSeconds } = audio;
  return {
    samples: resampled ?? audio.samples,
    sampleRateHz,
    source: { format, sampleRateHz: audio.sampleRateHz, channels, durationSeconds },
    findings,
  };
}
