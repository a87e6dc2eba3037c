import { isHiggsError } from "@higgs-worker/base";
import { SOURCE_FORMATS, type DecodedAudio } from "./audio-decoder.ts";
import { DECODERS } from "./decoders.ts";
import type { DecodeLimits } from "./limits.ts";
import { PcmCollector } from "./pcm-collector.ts";
import { referenceInvalid } from "./reference-invalid.ts";
import { sniffAudio } from "./sniff-audio.ts";

/**
 * Decodes in the calling thread, which is busy until the end; `decodeAudio` is for everybody else.
 *
 * @throws HiggsError REFERENCE_INVALID, also for whatever a codec library throws.
 */
export async function decodeHere(bytes: Uint8Array, limits: DecodeLimits): Promise<DecodedAudio> {
  if (bytes.length > limits.maxBytes) {
    throw referenceInvalid(`it is too large (got ${bytes.length} bytes, limit ${limits.maxBytes})`);
  }
  const sniffed = sniffAudio(bytes);
  if ("other" in sniffed) {
    throw referenceInvalid(`it is no supported audio (got ${sniffed.other}, supported ${SOURCE_FORMATS.join(", ")})`);
  }
  const pcm = new PcmCollector(sniffed.format, limits);
  try {
    await (await DECODERS[sniffed.format]()).decode(bytes, pcm, limits);
  } catch (error) {
    if (isHiggsError(error)) throw error;
    throw referenceInvalid(`its ${sniffed.format} data is damaged`, error);
  }
  return pcm.finish();
}
