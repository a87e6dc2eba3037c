import { isHiggsError } from "@higgs-worker/base";
import { id3Bytes } from "../mp3/frame-header.ts";
import type { DecodedAudio } from "../decoder/audio-decoder.ts";
import { DECODERS } from "./decoders.ts";
import type { DecodeLimits } from "../decoder/limits.ts";
import { PcmCollector } from "./pcm-collector.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import { describeOther, sniffAudio } from "./sniff-audio.ts";

/**
 * Decodes in the calling thread, which it blocks; elsewhere use `decodeAudio`.
 *
 * @throws {HiggsError} REFERENCE_INVALID, also for any error of a codec library
 */
export async function decodeHere(bytes: Uint8Array, limits: DecodeLimits): Promise<DecodedAudio> {
  if (bytes.length > limits.maxBytes) {
    throw referenceInvalid(`it is too large (got ${bytes.length} bytes, limit ${limits.maxBytes})`);
  }
  const sniffed = sniffAudio(bytes);
  if ("other" in sniffed) throw referenceInvalid(describeOther(sniffed));
  const pcm = new PcmCollector(sniffed.format, limits);
  try {
    const decoder = await DECODERS[sniffed.format]();
    // These need the tag: it holds the encoder's delay, and pictures to skip.
    const isTagRead = sniffed.format === "mp3" || sniffed.format === "aac";
    await decoder.decode(isTagRead ? bytes : bytes.subarray(id3Bytes(bytes)), pcm, limits);
  } catch (error) {
    if (isHiggsError(error)) throw error;
    throw referenceInvalid(`its ${sniffed.format} data is damaged`, error);
  }
  return pcm.finish();
}
