import { HiggsError } from "@higgs-worker/base";
import type { AudioEncoder, AudioFormat } from "./audio-encoder.ts";
import { pcmEncoder } from "./pcm/encoder.ts";
import { wavEncoder } from "./wav/encoder.ts";

/** The formats that can be written; the order is that of messages and documents. */
const ENCODERS: readonly AudioEncoder[] = [wavEncoder, pcmEncoder];

export const WRITABLE_FORMATS: readonly AudioFormat[] = ENCODERS.map(({ format }) => format);

/**
 * The one place that chooses an encoder.
 *
 * @throws {HiggsError} NOT_SUPPORTED for a format of the contract that this build does not write
 */
export function encoderFor(format: AudioFormat): AudioEncoder {
  const encoder = ENCODERS.find((candidate) => candidate.format === format);
  if (encoder !== undefined) return encoder;
  throw new HiggsError(
    "NOT_SUPPORTED",
    `write the audio as ${format}`,
    `the format is not supported yet (supported: ${WRITABLE_FORMATS.join(", ")})`,
  );
}
