import { HiggsError } from "@higgs-worker/base";
import type { AudioEncoder, AudioEncoderStream, EncoderStreamOptions } from "../audio-encoder.ts";
import { encodeWith } from "../encode-whole.ts";
import { floatToPcm16 } from "../pcm16.ts";
import { sampleRateProblem } from "../sample-rates.ts";
import { compressionTable, expandALaw, expandMuLaw } from "./companding.ts";

const TELEPHONY_RATE_HZ = 8_000;

/** µ-law of G.711, 8 kHz, mono, without a header: what telephone services of America and Japan take. */
export const ulawEncoder = compandedEncoder("ulaw", "audio/basic", expandMuLaw);

/** A-law of G.711, 8 kHz, mono, without a header: what telephone services of the rest of the world take. */
export const alawEncoder = compandedEncoder("alaw", "audio/x-alaw-basic", expandALaw);

function compandedEncoder(format: "ulaw" | "alaw", mimeType: string, expand: (code: number) => number): AudioEncoder {
  let table: Uint8Array | undefined;

  async function openStream({ sampleRateHz }: EncoderStreamOptions): Promise<AudioEncoderStream> {
    if (sampleRateHz !== TELEPHONY_RATE_HZ) throw sampleRateProblem(encoder, sampleRateHz);
    const codes = (table ??= compressionTable(expand));
    let sampleCount = 0;
    return {
      write: async (pcm) => {
        sampleCount += pcm.length;
        return Uint8Array.from(floatToPcm16(pcm), (sample) => codes[sample + 2 ** 15] ?? 0);
      },
      end: async () => {
        if (sampleCount === 0) throw new HiggsError("GENERATION_FAILED", `encode ${format}`, "it has no samples");
        return { tail: new Uint8Array(0), head: null, sampleCount };
      },
      close: () => undefined,
    };
  }

  const encoder: AudioEncoder = {
    format,
    mimeType,
    fileExtension: format,
    sampleRatesHz: [TELEPHONY_RATE_HZ],
    minEncodedBytes: (sampleCount) => sampleCount,
    maxEncodedBytes: (sampleCount) => sampleCount,
    warmUp: () => Promise.resolve(),
    openStream,
    encode: encodeWith(openStream),
  };
  return encoder;
}
